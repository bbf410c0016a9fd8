"""How right the stitching of visits is, where the truth of each visit is known."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import duckdb

from customer360.linkage.engine_tables import as_arrow

__all__ = ["evaluate_stitching"]


def evaluate_stitching(
    web_events: Any,
    visits: Any,
    people_links: Any,
    *,
    account_source: str = "web",
) -> dict[str, float]:
    """Precision and recall of the visits attached, by the person whose account they got.

    Parameters
    ----------
    web_events : frame
        Contract `customer_web_events`.
    visits, people_links : frame
        Contracts `truth.visits` and `truth.people_links`.
    account_source : str
        Source whose `source_id` the site logs in with.

    Returns
    -------
    dict
        visits, visits_attached_share (of all visits), stitching_precision (of the visits
        attached, the share attached to the right person), stitching_recall (of the visits
        of people on a device where they logged in at some time, the share attached to
        them) and stitching_precision_shared, stitching_recall_shared: the same on devices
        that several people used. What has no case is left out.
    """
    with closing(duckdb.connect()) as connection:
        for name, table in (("hits", web_events), ("visits", visits), ("links", people_links)):
            connection.register(name, as_arrow(table))
        whole, shared = connection.execute(
            """
            with accounts as (
                select source_id, any_value(person_id) as person_id from links
                where source = ? group by 1
            ),
            named as (
                select visitor_id, h."at" as moment, min(a.person_id) as said,
                       bool_or(evidence = 'visit') as by_visit
                from hits h join accounts a using (source_id) group by all
            ),
            known as (select distinct visitor_id, said as person_id from named where by_visit),
            used as (
                select visitor_id, count(distinct person_id) > 1 as shared from visits group by 1
            ),
            told as (
                select u.shared, n.said is not null as attached,
                       coalesce(n.said = v.person_id, false) as good,
                       k.person_id is not null as knowable
                from visits v join used u using (visitor_id)
                left join named n on n.visitor_id = v.visitor_id and n.moment = v."at"
                left join known k on k.visitor_id = v.visitor_id and k.person_id = v.person_id
            ),
            counted as (
                select count(*) as n, count(*) filter (attached) as attached,
                       count(*) filter (good) as good,
                       count(*) filter (knowable) as knowable,
                       count(*) filter (good and knowable) as found, 0 as part
                from told
                union all
                select count(*), count(*) filter (attached), count(*) filter (good),
                       count(*) filter (knowable), count(*) filter (good and knowable), 1
                from told where shared
            )
            select n, attached, good, knowable, found from counted order by part
            """,
            [account_source],
        ).fetchall()
    metrics: dict[str, float] = {}
    for name, (count, attached, good, knowable, found) in (("", whole), ("_shared", shared)):
        if not name and count:
            metrics |= {"visits": float(count), "visits_attached_share": attached / count}
        if attached:
            metrics[f"stitching_precision{name}"] = good / attached
        if knowable:
            metrics[f"stitching_recall{name}"] = found / knowable
    return metrics
