"""Which rules choose each field of the golden record, in which order, and why.

One table for the code and for the reader: `FIELD_RULES` decides, `rules_table` shows it.
Each kind of field grows old in its own way: a name is right where most records agree, an
address where it was last confirmed, a consent where it was last given or taken back.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

__all__ = ["FIELD_RULES", "ORDERS", "REASONS", "FieldRule", "rules_table"]


@dataclass(frozen=True)
class FieldRule:
    """The order of rules for some fields.

    Attributes
    ----------
    fields : tuple of str
        Fields of a `together` rule come from one and the same record.
    order : tuple of str
        First rule first: names of `ORDERS`.
    why : str
        For the reader.
    void : str
        What ranks last, whatever the other rules say.
    together : bool
    follows : str
        Field whose records come first: a title goes with the first name.
    """

    fields: tuple[str, ...]
    order: tuple[str, ...]
    why: str
    void: str = ""
    together: bool = False
    follows: str = ""


FIELD_RULES = (
    FieldRule(
        ("first_name",),
        ("valid", "frequency", "backed", "trust", "freshness"),
        "a first name never changes: what most records say, then a name that others bear too; "
        "of its spellings the one with accents and hyphens",
        void="an initial, a short form of another of the names",
    ),
    FieldRule(
        ("last_name",),
        ("valid", "frequency", "backed", "freshness", "trust"),
        "marriage changes it: what most records say, then the name of somebody else in the "
        "house, then the last one written",
        void="an initial",
    ),
    FieldRule(
        ("title",),
        ("valid", "frequency", "trust", "freshness"),
        "a title goes with the first name that was chosen",
        void="the title of another first name",
        follows="first_name",
    ),
    FieldRule(
        ("birth_date",),
        ("valid", "frequency", "trust", "freshness"),
        "a birth date never changes: what most records say, then the better source",
        void="1 January, which forms fill in by themselves",
    ),
    FieldRule(
        ("email",),
        ("valid", "backed", "frequency", "freshness", "trust"),
        "an address at which messages arrive, then the one given to most systems, then the "
        "last one written",
        void="bounced, another customer's, a slip of the keyboard",
    ),
    FieldRule(
        ("phone",),
        ("valid", "freshness", "trust", "frequency"),
        "numbers are changed: what was written last",
        void="failed, another customer's",
    ),
    FieldRule(
        ("company", "preferred_channel"),
        ("valid", "freshness", "trust", "frequency"),
        "jobs and wishes change: what was written last",
    ),
    FieldRule(
        ("street", "postcode", "city", "country"),
        ("valid", "freshness", "frequency", "trust"),
        "people move, and an address moves as one: the address last written, "
        "in its most complete writing",
        void="returned by the post office, a company's post box",
        together=True,
    ),
    FieldRule(
        (
            "consent_email",
            "consent_sms",
            "consent_phone",
            "consent_post",
            "consent_third_party",
        ),
        ("valid", "freshness", "refusal", "trust"),
        "the last word counts, and a refusal as fresh as an agreement wins (GDPR art. 7)",
        void="an agreement of a record that is older than an unsubscription",
    ),
)

# What each rule prefers, as a sort key over the values of one field.
ORDERS = {
    "valid": "valid desc",
    "trust": "trust",
    "freshness": "known_at desc",
    "frequency": "votes desc",
    "backed": "backed desc",
    "refusal": "vote",
}
# What decided, for the reader; of a value that is not valid its flaw is told.
REASONS = {
    "trust": "most trusted source",
    "freshness": "freshest record",
    "frequency": "most records agree",
    "backed": "confirmed by other data",
    "refusal": "refusal as fresh as the agreement",
}
_WORDS = {
    "valid": "valid",
    "trust": "source trust",
    "freshness": "freshness",
    "frequency": "frequency",
    "backed": "confirmed elsewhere",
    "refusal": "refusal",
}


def rules_table() -> pd.DataFrame:
    """The rules as a table to read.

    Returns
    -------
    pandas.DataFrame
        fields, rules in order, ranks last, why; one row per rule of `FIELD_RULES`.
    """
    return pd.DataFrame(
        {
            "fields": [", ".join(rule.fields) for rule in FIELD_RULES],
            "rules in order": [" > ".join(_WORDS[o] for o in rule.order) for rule in FIELD_RULES],
            "ranks last": [rule.void for rule in FIELD_RULES],
            "why": [rule.why for rule in FIELD_RULES],
        }
    )
