"""Audiences with a name: a rule over what is known of customers, or the head of a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pandas as pd

from customer360.contracts import CHANNELS, CONTRACTS
from customer360.features.conditions import ConditionError, ask, walled_connection
from customer360.linkage.engine_tables import as_arrow
from customer360.planning.gate import pass_gate

__all__ = ["AudienceError", "Audiences", "choose_audiences"]

PERSONAL = CONTRACTS["customers"].personal_columns
KEYS = {"where", "by", "top", "channel"}


class AudienceError(ValueError):
    """An audience cannot be chosen: which one, why, and what may be written."""


@dataclass(frozen=True)
class Audiences:
    """Who is in which audience, and how many the gate kept out.

    Parameters
    ----------
    members : pandas.DataFrame
        Contract `audiences`.
    counts : pandas.DataFrame
        One row per audience: name, rule (in words), chosen, stopped (by the gate), members.
    """

    members: pd.DataFrame
    counts: pd.DataFrame


def choose_audiences(
    rules: Mapping[str, Mapping[str, Any]],
    *,
    known: Mapping[str, Any],
    customers: Any,
    contacts: Any,
    as_of: date,
    retention_days: int | None = None,
) -> Audiences:
    """Choose named audiences.

    Parameters
    ----------
    rules : mapping of str to mapping
        By name: `where` (a condition on the columns of `known`, as in SQL), `by` (a score:
        column or expression, highest first) with `top` (how many), `channel` it is meant for
        (e-mail when none is given). At least `where` or `by`.
    known : mapping of str to frame
        Tables with customer_id as key; their columns can be used in the rules, but for
        names, addresses and the like. A column that several tables have is the first one's.
    customers, contacts : frame
        Contracts `customers`, `customer_contacts`, for the gate: consent, address,
        preference and age of the data.
    as_of : date
    retention_days : int, days, optional

    Raises
    ------
    AudienceError
        Naming the audience, what is wrong with it and the columns there are.
    """
    members, counts = [], []
    with walled_connection() as connection:
        columns = _join(connection, known)
        for name, rule in rules.items():
            chosen = _choose(connection, name, _checked(name, rule), columns)
            channel = rule.get("channel", "email")
            candidates = chosen.assign(channel=channel, offer_id=None, day=as_of)
            gated = pass_gate(
                candidates.astype({"offer_id": "str"}), customers=customers, contacts=contacts,
                rules=[], retention_days=retention_days,
            )  # fmt: skip
            kept = gated.kept.to_pandas()[["customer_id"]]
            members.append(kept.assign(name=name, as_of=as_of))
            counts.append((name, _in_words(rule), len(chosen), len(chosen) - len(kept), len(kept)))
    named = ["name", "customer_id", "as_of"]
    return Audiences(
        members=pd.concat(members)[named] if members else pd.DataFrame(columns=named),
        counts=pd.DataFrame(counts, columns=["name", "rule", "chosen", "stopped", "members"]),
    )


def _join(connection: duckdb.DuckDBPyConnection, known: Mapping[str, Any]) -> list[str]:
    """One row per customer, with every column of every table; their names."""
    taken, parts, joins = ["customer_id"], ["t0.customer_id"], []
    for number, table in enumerate(known.values()):
        arrow = as_arrow(table)
        connection.register(f"known_{number}", arrow)
        if number:
            joins.append(f"left join known_{number} t{number} using (customer_id)")
        new = [c for c in arrow.column_names if c not in (*taken, *PERSONAL)]
        parts += [f't{number}."{c}"' for c in new]
        taken += new
    connection.execute(
        f"create table customer as select {', '.join(parts)} from known_0 t0 {' '.join(joins)}"
    )
    return taken


def _checked(name: str, rule: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = set(rule) - KEYS
    if unknown:
        raise AudienceError(
            f"audience {name}: {', '.join(sorted(unknown))} is not understood; an audience has "
            f"{', '.join(sorted(KEYS))}"
        )
    if not rule.get("where") and not rule.get("by"):
        raise AudienceError(f"audience {name}: give a condition (`where`) or a score (`by`)")
    if bool(rule.get("by")) != bool(rule.get("top")):
        raise AudienceError(f"audience {name}: `by` (a score) and `top` (how many) go together")
    if rule.get("channel", "email") not in CHANNELS:
        raise AudienceError(f"audience {name}: the channel is one of {', '.join(CHANNELS)}")
    return rule


def _choose(
    connection: duckdb.DuckDBPyConnection, name: str, rule: Mapping[str, Any], columns: list[str]
) -> pd.DataFrame:
    where, by = rule.get("where", "true"), rule.get("by")
    head = ""
    if by:
        head = f" and ({by}) is not null order by ({by}) desc, customer_id limit {int(rule['top'])}"
    query = f"select customer_id from customer where ({where}){head}"
    try:
        return ask(connection, query).sort_values("customer_id", ignore_index=True)
    except ConditionError as error:
        raise AudienceError(
            f"audience {name}: {error}. Columns that can be used: {', '.join(columns)}"
        ) from None


def _in_words(rule: Mapping[str, Any]) -> str:
    words = [str(rule["where"])] if rule.get("where") else []
    if rule.get("by"):
        words.append(f"the first {int(rule['top']):,} by {rule['by']}")
    return "; ".join(words)
