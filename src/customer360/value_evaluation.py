"""How well value and its moves tell what a simulated world knows.

For evaluation only: no model has seen these columns.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow
from customer360.segmentation_evaluation import person_of_customer

__all__ = ["judge_experience", "judge_value"]


def judge_value(
    predicted: Any, *, expectations: Any, orders: Any, people_links: Any, as_of: date
) -> dict[str, float]:
    """Error of the value foretold against that of the true expectation, person by person.

    Parameters
    ----------
    predicted : frame
        customer_id, predicted_value and holdout_margin (currency), as of `as_of`; the
        customers of one person are added up.
    expectations, orders, people_links : frame
        Contracts `truth.expectations`, `customer_orders`, `truth.people_links`.
    as_of : date

    Returns
    -------
    dict
        value_error_vs_oracle (root of the mean squared error, as a share above the
        oracle's), value_rmse and oracle_value_rmse (currency), value_total_error and
        oracle_value_total_error (foretold / earned - 1). Empty when the truth is not known
        for that day.
    """
    with closing(connect()) as connection:
        connection.register("told", as_arrow(predicted))
        connection.register("person", person_of_customer(orders, people_links))
        connection.register("truth", as_arrow(expectations))
        table = connection.execute(
            """select person_id, sum(predicted_value) as ours, sum(holdout_margin) as earned,
                any_value(expected_margin) as oracle
            from told join person using (customer_id) join truth using (person_id)
            where as_of = ? group by all order by all""",
            [as_of],
        ).df()
    if table.empty or not table["earned"].sum():
        return {}
    error = {
        name: float(np.sqrt(((table[name] - table["earned"]) ** 2).mean()))
        for name in ("ours", "oracle")
    }
    total = {name: float(table[name].sum() / table["earned"].sum() - 1) for name in error}
    return {
        "value_error_vs_oracle": error["ours"] / error["oracle"] - 1,
        "value_rmse": error["ours"],
        "oracle_value_rmse": error["oracle"],
        "value_total_error": total["ours"],
        "oracle_value_total_error": total["oracle"],
    }


def judge_experience(
    history: pd.DataFrame, *, shocks: Any, orders: Any, people_links: Any
) -> dict[str, float]:
    """Correlation of what experience took from the value with the true shock of the month.

    Both are read as losses: the experience part as a share of the value before it, the
    shock as points of dissatisfaction added between two month ends.

    Parameters
    ----------
    history : pandas.DataFrame
        Contract `value_history`.
    shocks, orders, people_links : frame
        Contracts `truth.shocks`, `customer_orders`, `truth.people_links`.

    Returns
    -------
    dict
        experience_shock_correlation (Pearson, over every customer and month after its
        first), experience_months (how many) and experience_shock_months (with a shock).
        Empty when the truth is not known.
    """
    moved = history[["customer_id", "as_of", "value", "part_experience", "part_cost"]]
    with closing(connect()) as connection:
        connection.register("moved", as_arrow(moved))
        connection.register("person", person_of_customer(orders, people_links))
        connection.register("shocks", as_arrow(shocks))
        table = connection.execute(
            """with months as (
                select *, lag(as_of) over (partition by customer_id order by as_of) as since
                from moved join person using (customer_id))
            select m.customer_id, m.as_of, any_value(part_experience) as part,
                any_value(value - part_experience - part_cost) as before,
                coalesce(sum(change), 0) as shock, count(change) as shocks
            from months m left join shocks s
                on s.person_id = m.person_id and s.day > since and s.day <= m.as_of
            where since is not null group by all order by all"""
        ).df()
    if not table["shocks"].sum():
        return {}
    # Of a value of nearly nothing, nothing can be lost: its share is 0.
    worth = table["before"] > 1.0
    loss = np.where(worth, -table["part"] / table["before"].where(worth, 1.0), 0.0)
    if np.ptp(loss) == 0:
        return {}
    return {
        "experience_shock_correlation": float(np.corrcoef(loss, table["shock"])[0, 1]),
        "experience_months": float(len(table)),
        "experience_shock_months": float((table["shocks"] > 0).sum()),
    }
