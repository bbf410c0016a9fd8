"""The best that any model could reach, computed from the truth of a simulated world.

A score means little until one knows what was possible. Each function here puts the truth
itself in the place of a model and measures it as the model is measured: what is still
missed is chance, or was never written down, and no skill will find it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from customer360.contracts import MOODS
from customer360.engines import connect
from customer360.evaluation import classification_metrics, qini, qini_curve, spearman
from customer360.linkage.engine_tables import as_arrow
from customer360.linkage.records import prepare_records
from customer360.ranking import roc_auc

__all__ = [
    "PAIR_REASONS",
    "RESPONSE_DAYS",
    "Ceiling",
    "churn_ceiling",
    "dissatisfaction_ceiling",
    "linkable_groups",
    "linkage_ceiling",
    "messages_ahead",
    "oracle_share",
    "uplift_ceiling",
    "value_ceiling",
]

RESPONSE_DAYS = 14
DAYS_A_YEAR = 365.25
# An e-mail or telephone of more people than a large family is a placeholder.
MOST_SHARING = 5
# Groups of people whose Qini are compared to say how far chance moves it.
FOLDS = 20


@dataclass(frozen=True)
class Ceiling:
    """The best that can be reached in one task.

    Attributes
    ----------
    metrics : dict of str to float
        Numbers for `metrics/oracle.json`.
    table : pandas.DataFrame
        What a figure needs; each function says its columns.
    """

    metrics: dict[str, float]
    table: pd.DataFrame


_ORDER_COLUMNS = ("source", "source_id", "order_id", "ordered_on", "amount", "status", "margin")
_CONTACT_COLUMNS = ("contact_id", "at", "event")


def _only(table: Any, columns: Sequence[str]) -> Any:
    """Columns of a large table, chosen before it is brought into memory."""
    if isinstance(table, duckdb.DuckDBPyRelation):
        return as_arrow(table.project(", ".join(f'"{name}"' for name in columns)))
    names = list(columns)
    return as_arrow(table[names] if isinstance(table, pd.DataFrame) else table.select(names))


# --- linkage ----------------------------------------------------------------------------------

_JOINED = (
    "e-mail",
    "telephone",
    "a name, and birth date or address",
    "names that nobody else bears",
    "through a third record",
)
_LOST = ("fits somebody else as well", "holds too little", "nothing in common")
PAIR_REASONS = (*_JOINED, *_LOST)

_BIRTH_AGREES = """(l.birth_date = r.birth_date
    or damerau_levenshtein(l.birth_date, r.birth_date) <= 1
    or (l.birth_date[:4] = r.birth_date[:4] and l.birth_date[6:7] = r.birth_date[9:10]
        and l.birth_date[9:10] = r.birth_date[6:7]))"""
_FIRST_AGREES = """(jaro_winkler_similarity(l.first_name, r.first_name) >= 0.85
    or list_has_any(l.first_names, r.first_names)
    or (least(length(l.first_name), length(r.first_name)) = 1
        and l.first_name[1] = r.first_name[1]))"""
_LAST_AGREES = "(jaro_winkler_similarity(l.last_name, r.last_name) >= 0.85)"
_SWAPPED = """(jaro_winkler_similarity(l.last_name, r.first_name) >= 0.85
    and jaro_winkler_similarity(l.first_name, r.last_name) >= 0.85)"""
_BOTH_NAMES = f"(({_FIRST_AGREES} and {_LAST_AGREES}) or {_SWAPPED})"
_ONE_NAME = f"({_FIRST_AGREES} or {_LAST_AGREES} or {_SWAPPED})"
_STREET_AGREES = "jaro_winkler_similarity(l.street, r.street) >= 0.85"
# Kinds of evidence that two records are of one person.
_EVIDENCE = {
    "email": "(l.email = r.email or jaro_winkler_similarity(l.email, r.email) >= 0.92)",
    "phone": "(l.phone = r.phone or damerau_levenshtein(l.phone, r.phone) <= 1)",
    "birth": f"({_BIRTH_AGREES} and {_ONE_NAME})",
    "home": f"(l.postcode = r.postcode and {_STREET_AGREES} and {_ONE_NAME})",
    "postcode": f"(l.postcode = r.postcode and {_BOTH_NAMES})",
    "street": f"({_STREET_AGREES} and {_BOTH_NAMES})",
    # An initial is too short to be anybody's alone.
    "names": f"""(l.names_alone and r.names_alone and {_BOTH_NAMES}
        and least(length(l.first_name), length(r.first_name)) > 1)""",
}
_ANY = " or ".join(_EVIDENCE)
# Personal facts: one of them that fits only one of two people says which it is.
_PERSONAL = {
    "first_name": _FIRST_AGREES,
    "last_name": _LAST_AGREES,
    "birth_date": "l.birth_date = r.birth_date",
    "title": "l.title = r.title",
}
# Records of two people are compared where they agree on one of these.
_SHARED = (
    ("email",),
    ("phone",),
    ("first_name", "birth_date"),
    ("last_name", "birth_date"),
    ("first_name", "street", "postcode"),
    ("last_name", "street", "postcode"),
    ("last_name", "first_name", "postcode"),
    ("last_name", "first_name", "street"),
)


def linkage_ceiling(people: Any, *, people_links: Any) -> Ceiling:
    """Which pairs of records of one person could be found by anyone.

    A pair is linkable when a chain of the person's records leads from one to the other,
    each step agreeing, up to typing errors, on an e-mail, a telephone, one name together
    with the birth date or the whole address, or both names together with postcode or
    street; both names alone are enough where no other person's records bear them. A record
    is *indistinguishable* when records of somebody else share all that links it to its own
    person and none of its names, birth date and title tells the two apart; it breaks the
    chain. An e-mail or telephone of more than five people proves nothing.

    Parameters
    ----------
    people : frame
        Contract `staged.people`.
    people_links : frame
        Contract `truth.people_links`; records without a true person are left out.

    Returns
    -------
    Ceiling
        Metrics linkable_pairs_share (1.0 where there is no pair to find), pairs_true,
        pairs_linkable, records, indistinguishable_records. Table: one row per reason of
        `PAIR_REASONS`, in that order: reason, linkable, pairs.

    Notes
    -----
    An estimate: the levels of similarity are chosen, a lucky guess is not counted, and
    evidence beyond these fields (what was bought, when) is not looked at.
    """
    evidence = _evidence(people, people_links)
    table = _count_pairs(evidence)
    true, found = table["pairs"].sum(), table.loc[table["linkable"], "pairs"].sum()
    metrics = {
        "linkable_pairs_share": float(found / true) if true else 1.0,
        "pairs_true": float(true),
        "pairs_linkable": float(found),
        "records": float(len(evidence.record)),
        "indistinguishable_records": float(evidence.indistinguishable.sum()),
    }
    return Ceiling(metrics=metrics, table=table)


def linkable_groups(people: Any, *, people_links: Any) -> pd.DataFrame:
    """The best grouping that anybody could reach, in the sense of `linkage_ceiling`.

    Parameters
    ----------
    people, people_links : frame
        As in `linkage_ceiling`.

    Returns
    -------
    pandas.DataFrame
        One row per record with a true person, sorted by key: source, source_id,
        linkable_group (a number; missing for indistinguishable records). Two records in
        one group are a linkable pair.
    """
    evidence = _evidence(people, people_links)
    clear = pd.Series(_chains(evidence)).where(~evidence.indistinguishable)
    return evidence.keys.assign(linkable_group=clear.astype("Int64").to_numpy())


@dataclass(frozen=True)
class _Evidence:
    """Records of known people, and which pairs of one person agree on what.

    All but `pairs` have one entry per record, in the order of its number.
    """

    keys: pd.DataFrame
    record: np.ndarray
    person: np.ndarray
    empty: np.ndarray
    indistinguishable: np.ndarray
    pairs: pd.DataFrame


def _evidence(people: Any, people_links: Any) -> _Evidence:
    with closing(connect()) as connection:
        prepare_records(connection, people)
        connection.register("links", as_arrow(people_links))
        _known_records(connection)
        _compare(connection)
        lost = connection.execute(f"select record from ({_INDISTINGUISHABLE})").fetchnumpy()
        pairs = connection.execute(
            f"""select l, r, email, phone, birth or home or postcode or street as placed
            from evidence where same_person and ({_ANY}) order by all"""
        ).fetchnumpy()
        known = connection.execute(
            """select record, person, empty, source, source_id
            from known join records using (record) order by record"""
        ).df()
    return _Evidence(
        keys=known[["source", "source_id"]],
        record=known["record"].to_numpy(),
        person=known["person"].to_numpy(),
        empty=known["empty"].to_numpy(bool),
        indistinguishable=known["record"].isin(lost["record"]).to_numpy(),
        pairs=pd.DataFrame({name: np.asarray(values) for name, values in pairs.items()}),
    )


def _chains(evidence: _Evidence) -> np.ndarray:
    """Group of each record by chains of evidence; indistinguishable ones are alone."""
    left, right = (np.searchsorted(evidence.record, evidence.pairs[side]) for side in ("l", "r"))
    sound = ~evidence.indistinguishable[left] & ~evidence.indistinguishable[right]
    left, right, size = left[sound], right[sound], len(evidence.record)
    edges = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(size, size))
    return connected_components(edges, directed=False)[1]


def _known_records(connection: duckdb.DuckDBPyConnection) -> None:
    """Write table `known`: folded records with their person, placeholders emptied."""
    connection.execute(
        """create temp table owned as
        select records.* replace (right(regexp_replace(phone, '[^0-9]', '', 'g'), 9) as phone),
               person_id
        from records join links using (source, source_id)"""
    )
    proves = {
        name: f"""case when {name} in (
            select {name} from owned group by 1 having count(distinct person_id) <= {MOST_SHARING}
        ) then {name} end as {name}"""
        for name in ("email", "phone")
    }
    connection.execute(
        f"""create temp table known as
        with proven as (
            select record, dense_rank() over (order by person_id) - 1 as person,
                   first_name, last_name, first_names, title, birth_date, street, postcode,
                   {proves["email"]}, {proves["phone"]},
                   first_name is not null and last_name is not null
                   and min(person_id) over same = max(person_id) over same as names_alone
            from owned window same as (partition by both_names)
        )
        select *, email is null and phone is null and not names_alone
               and (first_name is null or last_name is null or postcode is null and street is null)
               and (coalesce(first_name, last_name) is null
                    or birth_date is null and (postcode is null or street is null)) as empty
        from proven"""
    )


def _compare(connection: duckdb.DuckDBPyConnection) -> None:
    """Write table `evidence`: pairs of records with what they agree on.

    All pairs of one person, once; pairs of two people that share a value, both ways.
    """
    same = "select l.record as l, r.record as r from known l join known r using (person)"
    across = "\nunion\n".join(
        f"select l.record, r.record from known l join known r using ({', '.join(columns)})"
        " where l.person <> r.person"
        for columns in _SHARED
    )
    flags = ", ".join(f"coalesce({sql}, false) as {name}" for name, sql in _EVIDENCE.items())
    connection.execute(
        f"""create temp table evidence as
        with candidates as ({same} where l.record < r.record union all ({across}))
        select l.record as l, r.record as r, l.person as left_person, r.person as right_person,
               l.person = r.person as same_person, {flags}
        from candidates c join known l on l.record = c.l join known r on r.record = c.r"""
    )


_FITS = ", ".join(f"bool_or({name}) as {name}" for name in _EVIDENCE)
# Whatever speaks for the own person speaks for the other one too...
_AS_WELL = " and ".join(f"(other.{name} or not own.{name})" for name in _EVIDENCE)
# ... and nothing personal speaks against it.
_ALIKE = " and ".join(
    f"(any_value(l.{name}) is null or bool_or(coalesce({sql}, false)))"
    for name, sql in _PERSONAL.items()
)
_INDISTINGUISHABLE = f"""
    with own as (
        select record, {_FITS} from (
            select l as record, {", ".join(_EVIDENCE)} from evidence where same_person and ({_ANY})
            union all
            select r, {", ".join(_EVIDENCE)} from evidence where same_person and ({_ANY}))
        group by 1
    ),
    other as (
        select l as record, right_person as person, {_FITS} from evidence
        where not same_person and ({_ANY}) group by l, right_person
    ),
    rivals as (
        select other.record, other.person from other join own using (record)
        where {_AS_WELL}
    )
    select distinct record from (
        select l.record, rivals.person from rivals
        join known l on l.record = rivals.record join known r on r.person = rivals.person
        group by all having {_ALIKE})
"""


def _count_pairs(evidence: _Evidence) -> pd.DataFrame:
    """Pairs of records of one person by what joins them or keeps them apart.

    Groups are counted, not listed: n records make n (n - 1) / 2 pairs.
    """
    indistinguishable, person = evidence.indistinguishable, evidence.person
    left, right = (np.searchsorted(evidence.record, evidence.pairs[side]) for side in ("l", "r"))
    pairs = evidence.pairs[~indistinguishable[left] & ~indistinguishable[right]]
    chain = _chains(evidence)
    clear, full = ~indistinguishable, ~indistinguishable & ~evidence.empty
    in_chain = _pairs_within(chain[clear])
    by_email = pairs["email"].to_numpy(bool)
    by_phone = pairs["phone"].to_numpy(bool) & ~by_email
    by_names = pairs["placed"].to_numpy(bool) & ~by_email & ~by_phone
    counts = (
        by_email.sum(),
        by_phone.sum(),
        by_names.sum(),
        len(pairs) - by_email.sum() - by_phone.sum() - by_names.sum(),
        in_chain - len(pairs),
        _pairs_within(person) - _pairs_within(person[clear]),
        _pairs_within(person[clear]) - _pairs_within(person[full]),
        _pairs_within(person[full]) - in_chain,
    )
    return pd.DataFrame(
        {
            "reason": PAIR_REASONS,
            "linkable": [reason in _JOINED for reason in PAIR_REASONS],
            "pairs": np.array(counts, dtype=np.int64),
        }
    )


def _pairs_within(group: np.ndarray) -> int:
    size = np.bincount(group) if len(group) else np.zeros(0, dtype=np.int64)
    return int((size * (size - 1) // 2).sum())


# --- churn ------------------------------------------------------------------------------------


def messages_ahead(contacts: Any, *, true_contacts: Any, as_of: date, days: int) -> pd.DataFrame:
    """Messages sent within so many days after a day, and what each does to a customer.

    Parameters
    ----------
    contacts, true_contacts : frame
        Contracts `staged.contacts` and `truth.contacts`.
    as_of : date
    days : int

    Returns
    -------
    pandas.DataFrame
        One row per message, by contact_id: person_id, day, potential (purchases).
    """
    with closing(connect()) as connection:
        connection.register("events", _only(contacts, _CONTACT_COLUMNS))
        connection.register("truth", as_arrow(true_contacts))
        return connection.execute(
            """select person_id, "at"::date as day, potential
            from events join truth using (contact_id)
            where event = 'sent' and day > $1 and day <= $1 + $2::integer order by contact_id""",
            [as_of, days],
        ).df()


def churn_ceiling(
    holdout: Any, *, chances: Any, habits: Any, linked_records: Any, people_links: Any
) -> Ceiling:
    """How well the truth foretells who will buy nothing, on the customers models are judged on.

    Two ceilings. The *truth* knows who has left already without a word; no data hold that.
    Who knows everybody's *habits* only, their rate, hazard and seasons, must infer it from
    the silence r since the last purchase (Schmittlein, Morrison and Colombo 1987):

        P(alive) = 1 / (1 + hazard / (rate + hazard) * (exp((rate + hazard) * r) - 1))

    Parameters
    ----------
    holdout : frame
        Contract `churn_holdout`; read are customer_id, recency_days, churned.
    chances : frame
        person_id, p_no_purchase within the horizon, knowing who has left.
    habits : frame
        person_id, purchase_rate and leaving_hazard (a year), p_no_purchase of somebody who
        is still a customer.
    linked_records, people_links : frame
        Contracts. A customer is the person with most of its records.

    Returns
    -------
    Ceiling
        Metrics churn_roc_auc, churn_average_precision, churn_brier,
        churn_calibration_error, churn_lift_at_10pct of who knows the habits: the mark for
        models; the same five of the truth, with prefix all_knowing_churn_; and churn_customers.
        Table: one row per customer with a true
        person, by customer_id: customer_id, churned, recency_days, truth, habits
        (probabilities to buy nothing).
    """
    with closing(connect()) as connection:
        connection.register("holdout", _only(holdout, ("customer_id", "recency_days", "churned")))
        for name, table in (
            ("chances", chances),
            ("habits", habits),
            ("linked", linked_records),
            ("links", people_links),
        ):
            connection.register(name, as_arrow(table))
        table = connection.execute(
            """with owner as (
                select customer_id, person_id
                from linked join links using (source, source_id)
                group by customer_id, person_id
                qualify row_number() over (
                    partition by customer_id order by count(*) desc, person_id) = 1
            )
            select customer_id, churned, recency_days, c.p_no_purchase as truth,
                   purchase_rate, leaving_hazard, h.p_no_purchase as silent
            from holdout join owner using (customer_id)
            join chances c using (person_id) join habits h using (person_id)
            order by customer_id"""
        ).df()
    leaves = table["leaving_hazard"].to_numpy()
    both = np.maximum(table["purchase_rate"].to_numpy() + leaves, 1e-12)
    silence = np.minimum(both * table["recency_days"].to_numpy() / DAYS_A_YEAR, 700.0)
    alive = 1 / (1 + leaves / both * np.expm1(silence))
    table["habits"] = 1 - alive * (1 - table["silent"])
    table = table[["customer_id", "churned", "recency_days", "truth", "habits"]]
    metrics = {"churn_customers": float(len(table))}
    if table["churned"].nunique() == 2:
        for prefix, score in (("churn_", "habits"), ("all_knowing_churn_", "truth")):
            metrics |= classification_metrics(table["churned"], table[score], prefix=prefix)
    return Ceiling(metrics=metrics, table=table)


def oracle_share(roc_auc: float, best_roc_auc: float) -> float:
    """What a model reaches of the best ROC AUC possible, both counted from 0.5.

    Examples
    --------
    >>> round(oracle_share(0.8, 0.9), 3)
    0.75
    """
    return (roc_auc - 0.5) / (best_roc_auc - 0.5)


# --- value ------------------------------------------------------------------------------------


def value_ceiling(
    *, expectations: Any, true_people: Any, orders: Any, people_links: Any
) -> Ceiling:
    """How close the true expectation comes to what was then bought.

    Looked at from the first day of `expectations`, over everybody who had joined by then;
    those who came later are nobody's to foretell.

    Parameters
    ----------
    expectations, true_people, people_links : frame
        Contracts `truth.expectations`, `truth.people`, `truth.people_links`.
    orders : frame
        Contract `staged.orders`. The margin is that of paid lines: amount less the cost of
        the units; an order counts as a purchase whatever became of it.

    Returns
    -------
    Ceiling
        Metrics value_total_error and transactions_total_error (expected / real - 1, left
        out where nothing was bought), value_spearman, transactions_spearman, value_people.
        Table: one row per tenth of those still customers, the least expected first:
        decile (1 to 10), people, expected_margin, margin, expected_transactions,
        transactions (means a person).
    """
    with closing(connect()) as connection:
        connection.register("ahead", as_arrow(expectations))
        connection.register("people", as_arrow(true_people))
        connection.register("links", as_arrow(people_links))
        connection.register("lines", _only(orders, _ORDER_COLUMNS))
        table = connection.execute(
            """with day as (select * from ahead where as_of = (select min(as_of) from ahead)),
            bought as (
                select person_id, sum(case when status = 'paid' then margin else 0 end) as margin,
                       count(distinct (source, order_id)) as transactions
                from lines join links using (source, source_id) join day using (person_id)
                where ordered_on > as_of and ordered_on <= as_of + horizon::integer
                group by 1
            )
            select person_id, alive, expected_margin, expected_transactions,
                   coalesce(margin, 0) as margin, coalesce(transactions, 0) as transactions
            from day join people using (person_id) left join bought using (person_id)
            where joined_on <= as_of order by person_id"""
        ).df()
    metrics = {"value_people": float(len(table))}
    for name, column in (("value", "margin"), ("transactions", "transactions")):
        real, expected = table[column], table[f"expected_{column}"]
        if real.sum() > 0:
            metrics[f"{name}_total_error"] = float(expected.sum() / real.sum() - 1)
        if len(table):
            metrics[f"{name}_spearman"] = spearman(real, expected)
    return Ceiling(metrics=metrics, table=_by_decile(table[table["alive"]]))


def _by_decile(table: pd.DataFrame) -> pd.DataFrame:
    order = table["expected_margin"].rank(method="first").to_numpy()
    decile = np.ceil(order * 10 / max(len(table), 1)).astype(int)
    columns = ["expected_margin", "margin", "expected_transactions", "transactions"]
    groups = table.groupby(pd.Series(decile, index=table.index, name="decile"))
    means = groups[columns].mean()
    means.insert(0, "people", groups.size())
    return means.reset_index()


# --- uplift -----------------------------------------------------------------------------------


def uplift_ceiling(*, contacts: Any, true_contacts: Any, orders: Any, people_links: Any) -> Ceiling:
    """Qini of the true effects: what targeting by uplift could gain over random targeting.

    Contacts of all campaigns, sent or held out at random, are ranked by the true effect of
    the message. The outcome is the person's orders in the two weeks after; the propensity
    the share sent of each campaign. Campaigns that held nobody out, or all, say nothing.

    Parameters
    ----------
    contacts : frame
        Contract `staged.contacts`; read are the events sent and held_out.
    true_contacts, people_links : frame
        Contracts `truth.contacts`, `truth.people_links`.
    orders : frame
        Contract `staged.orders`.

    Returns
    -------
    Ceiling
        Metrics qini and qini_expected (the same with the true effects themselves as
        outcome, free of chance), both in added orders per contact in the ranking, sent or
        held out; qini_standard_error over groups of people; uplift_average and
        uplift_average_expected (added orders per contact); uplift_contacts. Table: 101
        rows a curve: curve (measured, expected), contacted (share), gain (added orders per
        contact of the ranking).
    """
    with closing(connect()) as connection:
        for name, table in (("truth", true_contacts), ("links", people_links)):
            connection.register(name, as_arrow(table))
        connection.register("events", _only(contacts, _CONTACT_COLUMNS))
        connection.register("lines", _only(orders, _ORDER_COLUMNS))
        ranked = connection.execute(
            f"""with purchases as (
                select distinct person_id, source, order_id, ordered_on as day
                from lines join links using (source, source_id) where amount >= 0
            ),
            drawn as (
                select contact_id, truth.campaign_id, person_id, effect,
                       bool_or(event = 'sent') as treated, min("at")::date as day
                from events join truth using (contact_id)
                where event in ('sent', 'held_out') group by all
            ),
            shared as (
                select *, avg(treated::integer) over (partition by campaign_id) as propensity,
                       dense_rank() over (order by person_id) % {FOLDS} as fold
                from drawn
            )
            select contact_id, any_value(effect) as effect, any_value(treated) as treated,
                   any_value(propensity) as propensity, count(order_id) as orders,
                   any_value(fold) as fold
            from shared s left join purchases p
                on p.person_id = s.person_id and p.day > s.day and p.day <= s.day + {RESPONSE_DAYS}
            where propensity > 0 and propensity < 1
            group by contact_id order by contact_id"""
        ).df()
    metrics = {"uplift_contacts": float(len(ranked))}
    if ranked.empty:
        return Ceiling(metrics=metrics, table=pd.DataFrame(columns=["curve", "contacted", "gain"]))
    curves = {"measured": _measured_curve(ranked), "expected": _expected_curve(ranked)}
    folds = [qini(_measured_curve(part)) for _, part in ranked.groupby("fold")]
    metrics |= {
        "qini": qini(curves["measured"]),
        "qini_expected": qini(curves["expected"]),
        "uplift_average": float(curves["measured"]["gain"].iloc[-1]),
        "uplift_average_expected": float(curves["expected"]["gain"].iloc[-1]),
    }
    if len(folds) > 1:
        metrics["qini_standard_error"] = float(np.std(folds, ddof=1) / np.sqrt(len(folds)))
    table = pd.concat([_thinned(curve).assign(curve=name) for name, curve in curves.items()])
    return Ceiling(metrics=metrics, table=table[["curve", "contacted", "gain"]])


def _measured_curve(ranked: pd.DataFrame) -> pd.DataFrame:
    return qini_curve(
        ranked["orders"], ranked["treated"], ranked["propensity"], score=ranked["effect"]
    )


def _expected_curve(ranked: pd.DataFrame) -> pd.DataFrame:
    everyone = np.ones(len(ranked))
    return qini_curve(ranked["effect"], everyone, everyone, score=ranked["effect"])


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    contacted = np.linspace(0, 1, 101)
    gain = np.interp(contacted, curve["contacted"], curve["gain"])
    return pd.DataFrame({"contacted": contacted, "gain": gain})


# --- dissatisfaction --------------------------------------------------------------------------


def dissatisfaction_ceiling(conversations: Any) -> Ceiling:
    """How well the tone of a text, read without error, tells who is dissatisfied.

    Polite anger and grumbling without anger are what remains.

    Parameters
    ----------
    conversations : frame
        Contract `truth.conversations`; read are shown and dissatisfied.

    Returns
    -------
    Ceiling
        Metrics dissatisfaction_auc (left out unless some are dissatisfied and some are
        not), dissatisfaction_share and conversations. Table: one row per mood shown, from
        pleased to furious: shown, conversations, dissatisfied (share).
    """
    with closing(connect()) as connection:
        connection.register("told", _only(conversations, ("shown", "dissatisfied")))
        counted = connection.execute(
            """select shown, count(*) as conversations, avg(dissatisfied::integer) as dissatisfied
            from told where shown is not null and dissatisfied is not null group by 1"""
        ).df()
    table = counted.set_index("shown").reindex(list(MOODS)).rename_axis("shown").reset_index()
    table["conversations"] = table["conversations"].fillna(0).astype("int64")
    total = table["conversations"].sum()
    if not total:
        return Ceiling(metrics={"conversations": 0.0}, table=table)
    annoyed = (table["conversations"] * table["dissatisfied"]).fillna(0.0)
    metrics = {
        "conversations": float(total),
        "dissatisfaction_share": float(annoyed.sum() / total),
    }
    if 0 < annoyed.sum() < total:
        # Four levels: two weighted rows a level say the same as millions of texts.
        metrics["dissatisfaction_auc"] = roc_auc(
            np.repeat([1, 0], len(MOODS)),
            np.tile(np.arange(len(MOODS)), 2),
            weight=np.r_[annoyed, table["conversations"] - annoyed],
        )
    return Ceiling(metrics=metrics, table=table)
