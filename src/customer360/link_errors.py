"""What wrong links cost: value, leavers and lists, with links that are wrong on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date
from typing import Any

import duckdb
import pandas as pd

from customer360.features.btyd_summary import summarise_purchases
from customer360.features.purchases import purchase_days
from customer360.linkage.customers import attach_customer
from customer360.linkage.engine_tables import as_arrow
from customer360.linkage.perturb import perturb_links
from customer360.models.btyd import fit_btyd, fit_gamma_gamma, probability_alive
from customer360.models.clv import customer_value

__all__ = ["link_error_costs"]

SHARES = (0.005, 0.01, 0.02)
# The customers worth most, who get the adviser's call.
BEST_SHARE = 0.1


def link_error_costs(
    orders: Any,
    linked: Any,
    *,
    as_of: date,
    horizon_days: float = 365,
    silence_days: float = 180,
    annual_discount_rate: float = 0.1,
    time_unit_days: float = 7,
    shares: Sequence[float] = SHARES,
    seed: int = 360,
) -> pd.DataFrame:
    """Value, churn and lists with wrong merges and wrong splits, beside those without.

    Everything after linkage is computed anew: purchase days, the buy-till-you-die and
    Gamma-Gamma models, the value of each customer, its probability to be alive, the list of
    the best tenth and that of those silent for long.

    Parameters
    ----------
    orders : frame
        Contract `staged.orders`.
    linked : frame
        Contract `linked_records`.
    as_of : date
        Last day known.
    horizon_days, annual_discount_rate, time_unit_days
        As in `models.clv.customer_value`.
    silence_days : float
        A customer without a purchase for so long is on the win-back list.
    shares : sequence of float
        Shares of the customers that are merged, or torn apart.
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row per error and share, the first without error: error (none, false merges,
        false splits), share, customers (who bought), clv (total, currency), alive (expected
        number), best_list and silent_list (customers), their changes against the first row
        (`<column>_change`), best_wrong and silent_wrong (share of the list's records of
        orders that would not be on it without the errors).
    """
    rows: list[dict[str, Any]] = []
    tables = as_arrow(orders), as_arrow(linked)
    first: dict[str, set[Any]] = {}
    runs = [("none", 0.0), *((e, s) for e in ("false merges", "false splits") for s in shares)]
    for error, share in runs:
        merges, splits = (
            share if error == name else 0.0 for name in ("false merges", "false splits")
        )
        links = perturb_links(tables[1], false_merges=merges, false_splits=splits, seed=seed)
        scored = _score(
            tables[0],
            links,
            as_of=as_of,
            horizon_days=horizon_days,
            annual_discount_rate=annual_discount_rate,
            time_unit_days=time_unit_days,
        )
        best = scored.nlargest(max(1, round(BEST_SHARE * len(scored))), "clv", keep="first")
        lists = {"best": best, "silent": scored[scored["silent_days"] > silence_days]}
        records = {
            name: set(
                links.loc[links["customer_id"].isin(chosen["customer_id"]), ["source", "source_id"]]
                .itertuples(index=False, name=None)
            )
            for name, chosen in lists.items()
        }  # fmt: skip
        first = first or records
        rows.append(
            {
                "error": error,
                "share": share,
                "customers": len(scored),
                "clv": scored["clv"].sum(),
                "alive": scored["alive"].sum(),
                "best_list": len(lists["best"]),
                "silent_list": len(lists["silent"]),
            }
            | {
                f"{name}_wrong": len(found - first[name]) / max(len(found), 1)
                for name, found in records.items()
            }
        )
    table = pd.DataFrame(rows)
    for column in ("customers", "clv", "alive", "best_list", "silent_list"):
        table[f"{column}_change"] = table[column] / table[column].iloc[0] - 1
    return table


def _score(
    orders: Any,
    links: Any,
    *,
    as_of: date,
    horizon_days: float,
    annual_discount_rate: float,
    time_unit_days: float,
) -> pd.DataFrame:
    """Customers who bought: customer_id, clv, alive (probability), silent_days."""
    with closing(duckdb.connect()) as engine:
        who = attach_customer(engine.from_arrow(orders), engine.from_arrow(as_arrow(links)))
        days = purchase_days(who).df()
    summary = summarise_purchases(days, until=as_of).sort_values("customer_id", ignore_index=True)
    btyd = fit_btyd(summary, model="bg_nbd", time_unit_days=time_unit_days)
    value = customer_value(
        summary,
        btyd=btyd,
        gamma_gamma=fit_gamma_gamma(summary),
        horizon_days=horizon_days,
        annual_discount_rate=annual_discount_rate,
        as_of=as_of,
    )
    return pd.DataFrame(
        {
            "customer_id": summary["customer_id"],
            "clv": summary["customer_id"].map(value.set_index("customer_id")["clv"]),
            "alive": probability_alive(btyd, summary).to_numpy(),
            "silent_days": summary["T_days"] - summary["recency_days"],
        }
    )
