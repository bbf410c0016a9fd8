"""CDNOW: every purchase of the customers an online music shop gained in early 1997.

The file ships inside the `lifetimes` package. It holds orders only: a customer number,
a day, a number of CDs and what was paid; each customer number is a customer. It is the
data of Fader, Hardie and Lee, "Counting your customers the easy way" (Marketing
Science 24, 2005), whose published estimates use the 1/10 sample.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.arrived import Arrived

__all__ = ["read"]


def read(*, sample: bool) -> Arrived:
    """Read the CDNOW purchases.

    Parameters
    ----------
    sample : bool
        True for the 1/10 sample of the papers (2,357 customers, 6,919 rows), False for
        the master file (23,570 customers, 69,659 rows).

    Returns
    -------
    Arrived
        `orders` only, one line an order. Days without an hour are midnight. Some
        customers bought twice on one day: these stay two orders.
    """
    name = "CDNOW_sample.txt" if sample else "CDNOW_master.txt"
    columns = ["customer", "day", "quantity", "amount"]
    if sample:
        columns = ["customer", "sample_customer", *columns[1:]]
    rows = pd.read_csv(
        _folder() / name,
        sep=r"\s+",
        names=columns,
        # The master file has a header line, the sample has none.
        skiprows=0 if sample else 1,
        dtype={"customer": str, "sample_customer": str, "day": str},
    )
    number = pd.Series(range(1, len(rows) + 1), dtype="int64").astype(str).str.zfill(5)
    orders = pd.DataFrame(
        {
            "source": "web",
            "source_id": rows["customer"],
            "order_id": number,
            "line_no": "1",
            "ordered_at": pd.to_datetime(rows["day"], format="%Y%m%d"),
            "category": "music",
            "quantity": rows["quantity"].astype(float),
            "amount": rows["amount"].astype(float),
            "channel": "web",
            "status": "paid",
        }
    )
    contract = CONTRACTS["raw.orders"]
    missing = [name for name in contract.column_names if name not in orders]
    orders = orders.assign(**dict.fromkeys(missing))[contract.column_names]
    table = pa.Table.from_pandas(orders, schema=arrow_schema(contract), preserve_index=False)
    return Arrived(tables={"orders": table.replace_schema_metadata(None)})


def _folder() -> Path:
    """Data files of the installed package.

    Found without importing anything: `lifetimes.datasets` needs pkg_resources, which is
    gone, and `lifetimes` itself changes a global option of pandas.
    """
    package = find_spec("lifetimes")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("the package lifetimes is not installed: run `make pipeline` again")
    return Path(package.submodule_search_locations[0]) / "datasets"
