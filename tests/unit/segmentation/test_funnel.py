"""The stage on the day of a contact: what was known then, by the rule of today's stage."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from customer360.contracts import FUNNEL
from customer360.segmentation.families import funnel_stages
from customer360.segmentation.funnel import funnel_on_days

DAY = date(2025, 6, 30)


def _at(days: int) -> pd.Timestamp:
    return pd.Timestamp(DAY) - timedelta(days=days) + timedelta(hours=9)


def _stages(moments, *, bought=(), web=(), events=(), praise=()):
    """Rows of (customer_id, days before DAY, ...)."""
    return funnel_on_days(
        pd.DataFrame(moments, columns=["customer_id", "day"]),
        purchase_days=pd.DataFrame(
            [(c, DAY - timedelta(days=d)) for c, d in bought], columns=["customer_id", "day"]
        ).astype({"customer_id": "str"}),
        web_events=pd.DataFrame(
            [(c, kind, _at(d), _at(known)) for c, d, kind, known in web],
            columns=["customer_id", "kind", "at", "known_at"],
        ).astype({"customer_id": "str", "at": "datetime64[us]", "known_at": "datetime64[us]"}),
        contacts=pd.DataFrame(
            [(c, event, _at(d)) for c, d, event in events], columns=["customer_id", "event", "at"]
        ).astype({"customer_id": "str", "at": "datetime64[us]"}),
        surveys=pd.DataFrame(
            [("crm", c, "nps", 10.0, _at(d)) for c, d in praise],
            columns=["source", "source_id", "kind", "score", "at"],
        ).astype({"source": "str", "source_id": "str", "at": "datetime64[us]"}),
        records=pd.DataFrame(
            [("crm", c, c) for c, _ in moments], columns=["source", "source_id", "customer_id"]
        ),
        horizon_days=90,
    ).set_index(["customer_id", "day"])["funnel_stage"]


def test_the_day_itself_and_what_follows_are_not_looked_at():
    found = _stages(
        [("a", DAY), ("b", DAY), ("c", DAY), ("d", DAY), ("d", DAY + timedelta(days=1))],
        bought=[("a", 0), ("b", 1), ("d", 0), ("d", 5)],
        events=[("c", 0, "opened")],
    )
    assert found.tolist() == ["unaware", "first_purchase", "unaware", "first_purchase", "loyal"]


def test_a_visit_counts_when_it_was_known_whose_it_was():
    found = _stages(
        [("a", DAY), ("b", DAY), ("c", DAY)],
        web=[("a", 5, "search", 5), ("b", 5, "search", -1), ("c", 40, "search", 40)],
    )
    assert found.tolist() == ["comparing", "unaware", "informed"]


def test_silence_is_measured_by_the_horizon_and_the_own_rhythm():
    found = _stages(
        [("a", DAY), ("b", DAY), ("c", DAY)],
        bought=[("a", 95), ("a", 100), ("b", 95), ("b", 195), ("c", 2), ("c", 9)],
        praise=[("c", 30)],
    )
    assert found.tolist() == ["leaving", "loyal", "advocate"]


def test_the_rule_is_that_of_today():
    """The same customers on the same day, by both roads."""
    rng = np.random.default_rng(0)
    names = [f"c{n:03d}" for n in range(400)]

    def rows(count, most=200):
        return [
            (str(c), int(d))
            for c, d in zip(rng.choice(names, count), rng.integers(1, most, count), strict=True)
        ]

    bought = rows(500)
    web = [(c, d, "search" if i % 3 else "page", d) for i, (c, d) in enumerate(rows(300))]
    events = [(c, d, "opened" if i % 4 else "referred") for i, (c, d) in enumerate(rows(300))]
    praise = rows(60)
    found = _stages([(c, DAY) for c in names], bought=bought, web=web, events=events, praise=praise)
    days = pd.DataFrame(bought, columns=["customer_id", "ago"]).drop_duplicates()
    known = days.groupby("customer_id")["ago"].agg(["size", "min", "max"]).reset_index()
    pause = (known["max"] - known["min"]) / (known["size"] - 1).where(known["size"] > 1)
    silent = (known["min"] - 1 > 90) & (known["min"] - 1 > 2 * pause.fillna(0))
    today = funnel_stages(
        customers=pd.DataFrame({"customer_id": names}),
        features=known.rename(columns={"size": "frequency"})[["customer_id", "frequency"]],
        classes=known[["customer_id"]].assign(
            potential_class=np.where(silent, "inactif", "ordinaire")
        ),
        web_events=pd.DataFrame(
            [(c, kind, _at(d)) for c, d, kind, _ in web], columns=["customer_id", "kind", "at"]
        ),
        contacts=pd.DataFrame(
            [(c, e, _at(d)) for c, d, e in events], columns=["customer_id", "event", "at"]
        ),
        surveys=pd.DataFrame(
            [("crm", c, "nps", 10.0, _at(d)) for c, d in praise],
            columns=["source", "source_id", "kind", "score", "at"],
        ),
        records=pd.DataFrame({"source": "crm", "source_id": names, "customer_id": names}),
        as_of=DAY - timedelta(days=1),
        horizon_days=90,
    )
    assert today["funnel_stage"].tolist() == found.tolist()
    assert set(today["funnel_stage"]) == set(FUNNEL)
