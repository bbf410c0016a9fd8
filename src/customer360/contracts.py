"""Every table of the project: grain, key, columns, types, units, and what is personal.

One declaration serves four readers: `storage` validates each table it writes,
the tests check real outputs, `docs/data_dictionary.md` is generated from it, and
a newcomer reads it first.

Times are UTC and stored without a zone. Amounts are in the dataset's currency.
Identifiers are text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

__all__ = [
    "CHANNELS",
    "CONTACT_SIGNALS",
    "CONTRACTS",
    "LIFE_EVENTS",
    "MOODS",
    "QUADRANTS",
    "RAW_TABLES",
    "SERVICE",
    "SHOCKS",
    "Column",
    "ContractError",
    "Table",
    "arrow_schema",
    "empty_table",
    "validate_batch",
]


class ContractError(ValueError):
    """A table does not keep its contract. The message says where and what to do."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
    dtype : {"text", "integer", "number", "flag", "time", "date"}
    about : str
        What it means, in words a marketer understands.
    unit : str
        Unit of a number: "currency", "days", "seconds", "probability"...
    personal : bool
        True when it identifies or describes a person (GDPR art. 4).
    nullable : bool
    allowed : tuple of str
        The only values a text may take, when it is a code.
    minimum, maximum : float, optional
        Bounds of a number, included.
    """

    name: str
    dtype: str
    about: str
    unit: str = ""
    personal: bool = False
    nullable: bool = True
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Table:
    """A named table: where it lives, what a row is, which columns make its key.

    An empty `key` means that rows are events without an identifier; they are then
    stored in the order of all columns, so that equal content gives equal bytes.
    """

    name: str
    folder: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def file_name(self) -> str:
        return f"{self.name.split('.')[-1]}.parquet"

    @property
    def personal_columns(self) -> list[str]:
        return [column.name for column in self.columns if column.personal]

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise ContractError(f"table {self.name} has no column {name!r}")


ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "time": pa.timestamp("us"),
    "date": pa.date32(),
}


def arrow_schema(table: Table) -> pa.Schema:
    """Arrow schema of a table, in column order."""
    return pa.schema([(c.name, ARROW_TYPES[c.dtype]) for c in table.columns])


def empty_table(table: Table) -> pa.Table:
    """A table with the right columns and no row, for a source that is absent."""
    return arrow_schema(table).empty_table()


def _pandera_schema(table: Table) -> Any:
    # Imported late: pandera costs half a second that `--help` should not pay.
    import pandera.pyarrow as pandera

    columns = {}
    for column in table.columns:
        checks = []
        if column.allowed:
            checks.append(pandera.Check.isin(list(column.allowed)))
        if column.minimum is not None:
            checks.append(pandera.Check.ge(column.minimum))
        if column.maximum is not None:
            checks.append(pandera.Check.le(column.maximum))
        columns[column.name] = pandera.Column(
            ARROW_TYPES[column.dtype], checks=checks, nullable=column.nullable
        )
    return pandera.DataFrameSchema(columns, strict=True, name=table.name)


_SCHEMAS: dict[str, Any] = {}


def validate_batch(table: Table, batch: pa.Table) -> None:
    """Check types, nulls, codes and bounds of some rows of a table.

    Raises
    ------
    ContractError
        Naming the table, the column, the rule, how many rows break it and one
        value that does (never for a personal column).
    """
    from pandera.errors import SchemaError, SchemaErrors

    expected = arrow_schema(table)
    if not batch.schema.equals(expected):
        wrong = [
            f"{field.name} must be {table.column(field.name).dtype}"
            for field in expected
            if field.name not in batch.schema.names
            or batch.schema.field(field.name).type != field.type
        ]
        extra = [
            f"{name} is not in it" for name in batch.schema.names if name not in expected.names
        ]
        raise ContractError(
            f"table {table.name}: {'; '.join(wrong + extra) or 'columns stand in another order'}; "
            f"{batch.num_rows:,} rows were refused"
        )
    if table.name not in _SCHEMAS:
        _SCHEMAS[table.name] = _pandera_schema(table)
    try:
        _SCHEMAS[table.name].validate(batch, lazy=True)
    except (SchemaError, SchemaErrors) as error:
        # pandera's own error quotes values, which may be personal: it is not passed on.
        told = _explain(table, batch) or f"table {table.name}: {type(error).__name__}"
        raise ContractError(told) from None


def _explain(table: Table, batch: pa.Table) -> str:
    """Say in one sentence a column which rule it breaks and how often."""
    import pyarrow.compute as pc

    sentences = []
    for column in table.columns:
        values = batch[column.name]
        broken: list[tuple[str, pa.ChunkedArray]] = []
        if not column.nullable:
            broken.append(("must not be empty", pc.is_null(values)))
        if column.allowed:
            known = pc.is_in(values, value_set=pa.array(column.allowed))
            unknown = pc.and_(pc.is_valid(values), pc.invert(known))
            broken.append((f"must be one of {', '.join(column.allowed)}", unknown))
        if column.minimum is not None:
            broken.append((f"must be at least {column.minimum:g}", pc.less(values, column.minimum)))
        if column.maximum is not None:
            broken.append(
                (f"must be at most {column.maximum:g}", pc.greater(values, column.maximum))
            )
        for rule, mask in broken:
            rows = batch.filter(pc.fill_null(mask, False))
            if rows.num_rows:
                example = "" if column.personal else f" (for example {rows[column.name][0]})"
                sentences.append(
                    f"table {table.name}, column {column.name} {rule}: "
                    f"{rows.num_rows:,} of {batch.num_rows:,} rows do not{example}"
                )
    return "; ".join(sentences)


# --- short hands -----------------------------------------------------------------------------


def _text(name: str, about: str, **more: Any) -> Column:
    return Column(name, "text", about, **more)


def _number(name: str, about: str, unit: str, **more: Any) -> Column:
    return Column(name, "number", about, unit, **more)


def _integer(name: str, about: str, unit: str = "count", **more: Any) -> Column:
    return Column(name, "integer", about, unit, **more)


def _flag(name: str, about: str, **more: Any) -> Column:
    return Column(name, "flag", about, **more)


def _time(name: str, about: str, **more: Any) -> Column:
    return Column(name, "time", about, "UTC", **more)


def _date(name: str, about: str, **more: Any) -> Column:
    return Column(name, "date", about, **more)


CHANNELS = ("email", "sms", "phone", "post", "web", "store", "social")
DIRECT = ("email", "sms", "phone", "post")
GOALS = ("conversion", "cross_sell", "retention", "win_back")
CONVERSATION_CHANNELS = ("call", "whatsapp", "sms", "mail", "chat")

#: Groups declared before campaigns started: what may be expected, and what may come out.
EXPECTED = ("more", "less")
SUBGROUP_VERDICTS = ("as expected", "against expectation", "not beyond chance", "not read")

#: What became of a contact, in measurement.
OUTCOME_FLAGS = {
    "held_out": "drawn not to be contacted",
    "sent": "sent",
    "delivered": "arrived",
    "opened": "opened by a person",
    "machine_opened": "opened by a proxy: nobody knows whether by a person",
    "clicked": "clicked",
    "hard_bounced": "came back for good",
    "soft_bounced": "came back for now",
    "undeliverable": "letter returned (PND)",
    "unsubscribed": "unsubscribed",
    "referred": "passed on to somebody",
    "complained": "a claim within two weeks",
    "redeemed": "a coupon of the campaign used while it ran",
    "converted": "an order within two weeks",
}
CONTACT_EVENTS = (
    "held_out",
    "sent",
    "delivered",
    "opened",
    "clicked",
    "bounced",
    "undeliverable",
    "unsubscribed",
    "referred",
)
# Source and campaign of what the decision service offered: its ids are customers of ours.
SERVICE = "service"
MOODS = ("pleased", "neutral", "annoyed", "furious")
SHOCKS = ("late", "damaged", "out_of_stock", "bad_call", "good_call", "pressure")
LIFE_EVENTS = ("birth", "move", "wedding", "retirement", "home_purchase")
FUNNEL = ("unaware", "informed", "comparing", "first_purchase", "loyal", "advocate", "leaving")
POTENTIAL_CLASSES = ("gros", "cyclique", "nouveau", "inactif", "ordinaire")

_SOURCE = (
    _text("source", "system the record comes from (crm, till, web...)", nullable=False),
    _text("source_id", "identifier of the record in that system", nullable=False),
)
_ANY_SOURCE = (
    _text("source", "system the record comes from (crm, till, web...)"),
    _text("source_id", "identifier of the customer in that system"),
)
_CUSTOMER = _text("customer_id", "the person, one id across all sources", nullable=False)
_AS_OF = _date("as_of", "last day of which everything is known", nullable=False)

_PERSON = (
    _text("title", "civility", personal=True),
    _text("first_name", "given name", personal=True),
    _text("last_name", "family name", personal=True),
    _date("birth_date", "date of birth", personal=True),
    _text("email", "e-mail address", personal=True),
    _text("phone", "telephone number", personal=True),
    _text("street", "number and street, then building and flat", personal=True),
    _text("postcode", "postal code", personal=True),
    _text("city", "town", personal=True),
    _text("country", "ISO 3166 two-letter code", personal=True),
    _text("company", "company, for business customers", personal=True),
    _flag("consent_email", "agreed to receive e-mail"),
    _flag("consent_sms", "agreed to receive SMS"),
    _flag("consent_phone", "agreed to be called"),
    _flag("consent_post", "agreed to receive letters"),
    _flag("consent_third_party", "agreed that the data be passed to partners"),
    _text("preferred_channel", "channel the person asked for", allowed=CHANNELS),
)
_RECORD_DATES = (
    _time("created_at", "when the record was created"),
    _time("updated_at", "when the record was last changed"),
)

_REACHABLE = (
    _flag("reachable_email", "has an e-mail address that works or may work"),
    _flag("reachable_sms", "has a mobile number that works or may work"),
    _flag("reachable_phone", "has a telephone number that works or may work"),
    _flag("reachable_post", "has an address that works or may work"),
)
_PLACE = (
    _number("population", "inhabitants of the postcode", "people"),
    _number("median_income", "median income of a household there", "currency a year"),
    _text("urbanity", "urban, suburban, rural"),
)
_ORDER_LINE = (
    _text("order_id", "the basket or invoice", nullable=False),
    _text("line_no", "line within the order", nullable=False),
    _time("ordered_at", "when it was bought", nullable=False),
    _text("product_id", "the article"),
    _text("category", "product category"),
    _number("quantity", "units bought; negative on a refund line", "units"),
    _number(
        "amount",
        "what was paid for the line after discount; negative only on a refund line",
        "currency",
        nullable=False,
    ),
    _number("discount", "reduction granted on the line", "currency"),
    _text("coupon_id", "coupon used"),
    _number("unit_cost", "purchase cost of one unit", "currency"),
    _text("channel", "where it was bought"),
    _text("payment", "means of payment"),
    _text("delivery", "delivery mode"),
)
_ORDERED_ON = _date("ordered_on", "day it was bought, where the shop is", nullable=False)
_STATUS = _text("status", "paid, returned or unpaid", allowed=("paid", "returned", "unpaid"))

# --- raw: what arrived ------------------------------------------------------------------------

_RAW: dict[str, tuple[str, tuple[str, ...], tuple[Column, ...]]] = {
    "people": (
        "a record of a person in one source",
        ("source", "source_id"),
        (*_SOURCE, *_PERSON, *_RECORD_DATES),
    ),
    "orders": (
        "an order line",
        ("source", "order_id", "line_no"),
        (*_ANY_SOURCE, *_ORDER_LINE, _STATUS),
    ),
    "products": (
        "a product",
        ("product_id",),
        (
            _text("product_id", "the article", nullable=False),
            _text("name", "label"),
            _text("category", "product category"),
            _number("price", "list price of one unit", "currency"),
            _number("unit_cost", "purchase cost of one unit", "currency"),
        ),
    ),
    "campaigns": (
        "a campaign and variant",
        ("campaign_id", "variant"),
        (
            _text("campaign_id", "the campaign", nullable=False),
            _text("variant", "version of the message", nullable=False),
            _text("goal", "what it is for (conversion, cross_sell, retention...)"),
            _text("offer_id", "offer made"),
            _text("theme", "what the message appeals to"),
            _text("image", "picture shown"),
            _text("channel", "how it is sent"),
            _number("cost_per_contact", "cost of one message", "currency"),
            _time("started_at", "first day"),
            _time("ended_at", "last day"),
        ),
    ),
    "contacts": (
        "an event of one contact",
        ("contact_id", "event"),
        (
            _text("contact_id", "one message to one person", nullable=False),
            _text("campaign_id", "the campaign"),
            _text("variant", "version of the message"),
            *_ANY_SOURCE,
            _text("channel", "how it was sent"),
            _time("at", "when", nullable=False),
            _text("event", "what happened", nullable=False, allowed=CONTACT_EVENTS),
            _text("reason", "why, for a bounce or a return"),
        ),
    ),
    "offers": (
        "an offer",
        ("offer_id",),
        (
            _text("offer_id", "the offer", nullable=False),
            _text("category", "product category it bears on"),
            _text("kind", "percent, amount, gift, none..."),
            _number("depth", "size of the reduction", "share of price"),
            _time("valid_from", "first day"),
            _time("valid_to", "last day"),
            _number("min_margin", "margin that must be left", "share of price"),
        ),
    ),
    "web_events": (
        "a hit on the site",
        (),
        (
            _text("visitor_id", "the device or cookie", nullable=False),
            _text("source_id", "web account, known after a log-in"),
            _time("at", "when", nullable=False),
            _text(
                "kind",
                "what was done",
                nullable=False,
                allowed=("page", "search", "cart", "order", "login"),
            ),
            _text("page", "page seen"),
            _text("category", "product category of the page"),
            _text("query", "words typed in the site's search"),
            _text("referrer", "where the visit came from"),
            _text("device", "desktop, mobile, tablet"),
        ),
    ),
    "conversations": (
        "a conversation",
        (),
        (
            *_ANY_SOURCE,
            _time("at", "when", nullable=False),
            _text("channel", "how", allowed=CONVERSATION_CHANNELS),
            _text("direction", "in or out", allowed=("in", "out")),
            _text("reason", "what it was about"),
            _text("text", "what was said", personal=True),
            _number("handling_seconds", "time spent by the adviser", "seconds", minimum=0),
            _number("cost", "cost of handling it", "currency", minimum=0),
        ),
    ),
    "surveys": (
        "an answer to a survey",
        (),
        (
            *_ANY_SOURCE,
            _time("at", "when", nullable=False),
            _text("kind", "csat, nps or claim", allowed=("csat", "nps", "claim")),
            _number("score", "csat 1 to 5, nps 0 to 10", "points"),
            _text("comment", "what was written", personal=True),
        ),
    ),
    "social": (
        "an interaction on a social network",
        (),
        (
            _text("network", "the network"),
            _text("handle", "account name", personal=True),
            _text("source_id", "web account, after a delegated log-in"),
            _time("at", "when", nullable=False),
            _text("kind", "follow, like, mention..."),
        ),
    ),
    "loyalty": (
        "a movement of the loyalty programme",
        (),
        (
            *_ANY_SOURCE,
            _time("at", "when", nullable=False),
            _text("kind", "earn, burn, coupon, sample..."),
            _number("points", "points gained or spent", "points"),
        ),
    ),
    "life_events": (
        "a declared event of life",
        (),
        (
            *_ANY_SOURCE,
            _time("at", "when", nullable=False),
            _text(
                "kind",
                "what happened",
                personal=True,
                allowed=("birth", "move", "wedding", "retirement", "birthday"),
            ),
        ),
    ),
    "enrichment": (
        "a postcode",
        ("postcode",),
        (
            _text("postcode", "postal code", nullable=False),
            _number("population", "inhabitants", "people"),
            _number("median_income", "median income of a household", "currency a year"),
            _text("urbanity", "urban, suburban, rural"),
        ),
    ),
    "sales_visits": (
        "a visit by a representative",
        (),
        (
            _text("rep_id", "the representative", nullable=False),
            *_ANY_SOURCE,
            _time("at", "when", nullable=False),
            _text("outcome", "order, appointment, refusal, absent..."),
            _integer("fields_completed", "fields filled in during the visit"),
        ),
    ),
}
RAW_TABLES = tuple(_RAW)

_ALL: list[Table] = [
    Table(f"raw.{name}", "raw", grain, key, columns) for name, (grain, key, columns) in _RAW.items()
]
_ALL.append(
    Table(
        "raw.rejected",
        "raw",
        "a row of a file that could not be read into its table",
        (),
        (
            _text("table", "table it was meant for", nullable=False),
            _text("source", "system it comes from"),
            _text("file", "file it stands in"),
            _integer("row", "row in the file, the header being row 1", "row"),
            _text("reason", "why it was set aside, and what to do", nullable=False),
            _number("amount", "amount of the row, where it could be read", "currency"),
            _text("content", "the row as it was found, as JSON", personal=True),
        ),
    )
)

_VALUE_EMPTIED = (
    _text("table", "table", nullable=False),
    _text("source", "system"),
    _text("source_id", "record"),
    _text("field", "field emptied", nullable=False),
    _text("value", "what stood there", personal=True),
    _text("reason", "why it was emptied", nullable=False),
)
_ALL.append(
    Table("raw.emptied", "raw", "a value that could not be read, in a row kept", (), _VALUE_EMPTIED)
)

# --- truth: known for simulated worlds only, read by `evaluation` only -------------------------

_ALL += [
    Table(
        "truth.people_links",
        "truth",
        "a record of a person in one source",
        ("source", "source_id"),
        (*_SOURCE, _text("person_id", "the true person", nullable=False)),
    ),
    Table(
        "truth.visitor_links",
        "truth",
        "a device and a person who used it",
        ("visitor_id", "person_id"),
        (
            _text("visitor_id", "the device or cookie", nullable=False),
            _text("person_id", "the true person", nullable=False),
        ),
    ),
    Table(
        "truth.visits",
        "truth",
        "a visit to the site",
        (),
        (
            _text("visitor_id", "the device or cookie", nullable=False),
            _time("at", "first hit of the visit", nullable=False),
            _text("person_id", "the true person", nullable=False),
        ),
    ),
    Table(
        "truth.people",
        "truth",
        "a true person",
        ("person_id",),
        (
            _text("person_id", "the true person", nullable=False),
            _text("household_id", "who lives together", nullable=False),
            _text("title", "civility", personal=True),
            _text("first_name", "given name", personal=True),
            _text("last_name", "family name", personal=True),
            _date("birth_date", "date of birth", personal=True),
            _text("email", "own address today", personal=True),
            _text("mobile", "own mobile number today, international form", personal=True),
            _text("landline", "telephone of the home, international form", personal=True),
            _text("street", "number and street today", personal=True),
            _text("postcode", "postcode today", personal=True),
            _text("city", "town today", personal=True),
            _date("moved_on", "day of the last move; empty for none in these years"),
            _text("potential_class", "true class", allowed=POTENTIAL_CLASSES),
            _number("purchase_rate", "true purchases while active", "purchases a year"),
            _date("joined_on", "day of the first purchase or record"),
            _date("left_on", "day the person stopped being a customer; empty if still one"),
        ),
    ),
    Table(
        "truth.traits",
        "truth",
        "a true person",
        ("person_id",),
        (
            _text("person_id", "the true person", nullable=False),
            _text("persona", "kind of taste"),
            _text("cycle", "the season a cyclic customer comes for; empty for all others"),
            _number("cycle_period", "time from one cycle to the next", "days"),
            _number("leaving_hazard", "chance of leaving without any bad experience", "a year"),
            _number("spend_level", "price level of what is chosen; 1 is usual", "ratio"),
            _number("promo_affinity", "love of promotions", "0 to 1", minimum=0, maximum=1),
            _number("price_elasticity", "fall of demand when a price rises by one per cent", "%"),
            _number("store_share", "share of purchases made in shops", "probability"),
            _text("theme", "what a message must appeal to"),
            _text(
                "response_kind",
                "what a message does to this person",
                allowed=("persuadable", "sure_thing", "lost_cause", "sleeping_dog"),
            ),
            _number("pull", "purchases that a message of average force adds", "purchases"),
            _number("push", "share of coming purchases that a message drives away", "probability"),
            _number("margin_per_order", "expected margin of one order", "currency"),
            _number("cost_per_order", "expected cost to serve that one order brings", "currency"),
            _number("revenue_per_order", "expected paid amount of one order", "currency"),
            _number("bad_per_order", "expected dissatisfaction that one order brings", "points"),
        ),
    ),
    Table(
        "truth.shocks",
        "truth",
        "an experience that changed somebody's dissatisfaction",
        (),
        (
            _text("person_id", "the true person", nullable=False),
            _date("day", "when", nullable=False),
            _text("kind", "what happened", nullable=False, allowed=SHOCKS),
            _number("change", "added to the dissatisfaction, which then fades", "points"),
            _number("dissatisfaction", "where it stood after that", "points", minimum=0),
        ),
    ),
    Table(
        "truth.conversations",
        "truth",
        "a conversation",
        (),
        (
            *_SOURCE,
            _time("at", "when", nullable=False),
            _number("dissatisfaction", "true dissatisfaction at that moment", "points", minimum=0),
            _flag("dissatisfied", "the person was annoyed or furious"),
            _text("mood", "what the person felt", allowed=MOODS),
            _text("shown", "what the words show of it", allowed=MOODS),
            _integer("wording", "family of phrases the text is made of", unit=""),
        ),
    ),
    Table(
        "truth.life_events",
        "truth",
        "an event of life of a person",
        ("person_id", "kind"),
        (
            _text("person_id", "the true person", nullable=False),
            _text("kind", "what happened", nullable=False, allowed=LIFE_EVENTS),
            _date("day", "when", nullable=False),
            _flag("declared", "the person told the brand"),
        ),
    ),
    Table(
        "truth.expectations",
        "truth",
        "a true person and a day",
        ("person_id", "as_of"),
        (
            _text("person_id", "the true person", nullable=False),
            _date("as_of", "day from which the future is expected", nullable=False),
            _number("horizon", "length of that future", "days"),
            _flag("alive", "still a customer on that day"),
            _number("p_leave", "chance to leave within the horizon", "probability"),
            _number("p_no_purchase", "chance to buy nothing within it", "probability"),
            _number("expected_transactions", "purchases within it", "purchases"),
            _number("expected_revenue", "paid amounts within it", "currency"),
            _number("expected_margin", "margin within it", "currency"),
            _number("expected_cost", "cost to serve within it", "currency"),
        ),
    ),
    Table(
        "truth.contacts",
        "truth",
        "one message to one person, or its being held out",
        ("contact_id",),
        (
            _text("contact_id", "as in the raw table", nullable=False),
            _text("person_id", "the true person", nullable=False),
            _text("campaign_id", "the campaign", nullable=False),
            _number("potential", "purchases it adds in two weeks to a customer", "purchases"),
            _number("effect", "the same; 0 for somebody who had left by then", "purchases"),
            _number("fatigue", "messages of the last weeks that still weigh", "messages"),
        ),
    ),
    Table(
        "truth.uplift",
        "truth",
        "a true person and a channel",
        ("person_id", "channel"),
        (
            _text("person_id", "the true person", nullable=False),
            _text("channel", "how the message would be sent", nullable=False),
            *(
                _number(f"effect_{offer}", f"purchases added on as_of by {about}", "purchases")
                for offer, about in (
                    ("none", "a message without an offer"),
                    ("gift", "a gift"),
                    ("percent_10", "10 % off"),
                    ("percent_20", "20 % off"),
                    ("percent_30", "30 % off"),
                )
            ),
        ),
    ),
    Table(
        "truth.campaigns",
        "truth",
        "a campaign and variant",
        ("campaign_id", "variant"),
        (
            _text("campaign_id", "the campaign", nullable=False),
            _text("variant", "version of the message", nullable=False),
            _text("channel", "how it was sent", nullable=False),
            _integer("contacted", "people it was sent to"),
            _integer("held_out", "people held out"),
            _integer("caused_orders", "orders that it caused"),
            _integer("prevented_orders", "orders that it drove away"),
            _number("caused_amount", "paid amount of the orders it caused", "currency"),
            _number("caused_margin", "margin of the orders it caused", "currency"),
            _number("cost", "cost of the messages", "currency"),
        ),
    ),
    Table(
        "truth.orders",
        "truth",
        "an order that a message caused",
        ("source", "order_id"),
        (
            _text("source", "where it was taken", nullable=False),
            _text("order_id", "as in the raw table", nullable=False),
            _text("person_id", "the true person", nullable=False),
            _text("campaign_id", "the campaign that caused it", nullable=False),
        ),
    ),
]

# --- staged: standardised, typed, bad rows set aside -------------------------------------------

for _name, (_grain, _key, _columns) in _RAW.items():
    if _name == "people":
        _columns = (
            *_columns,
            _text("flags", "what standardising changed or emptied, separated by ;"),
        )
    if _name == "orders":
        _columns = (
            *_SOURCE,
            *_ORDER_LINE,
            _ORDERED_ON,
            Column("status", "text", _STATUS.about, nullable=False, allowed=_STATUS.allowed),
            _number("net_amount", "what the line brought in: 0 if returned or unpaid", "currency"),
            _number("margin", "net amount less cost of the goods", "currency"),
        )
    _ALL.append(Table(f"staged.{_name}", "staged", _grain, _key, _columns))

_ALL += [
    Table(
        "field_audit",
        "staged",
        "a field of a source",
        ("table", "source", "field"),
        (
            _text("table", "table", nullable=False),
            _text("source", "system", nullable=False),
            _text("field", "field", nullable=False),
            _integer("rows", "rows in the source"),
            _number("coverage", "share of rows that fill it", "share", minimum=0, maximum=1),
            _integer("distinct_values", "different values"),
            _number("median_age_days", "median age of the record that holds it", "days"),
            _number(
                "predictive_auc",
                "how well the field alone tells who buys again (0.5: not at all)",
                "AUC",
            ),
            _text("verdict", "what to do with it", nullable=False),
            _text("why", "the reason in words", nullable=False),
        ),
    ),
    Table(
        "quarantine_rows",
        "quarantine",
        "a row set aside",
        (),
        (
            _text("table", "table it was meant for", nullable=False),
            _text("source", "system it comes from"),
            _text("file", "file it stands in"),
            _integer("row", "row in the file, the header being row 1", "row"),
            _text("reason", "why it was set aside", nullable=False),
            _number("amount", "amount of the row, where it could be read", "currency"),
            _text("content", "the row as it was found, as JSON", personal=True),
        ),
    ),
    Table(
        "quarantine_values",
        "quarantine",
        "a value emptied in a row that was kept",
        (),
        _VALUE_EMPTIED,
    ),
]

# --- linked -----------------------------------------------------------------------------------

_ALL += [
    Table(
        "linked_records",
        "linked",
        "a record of a source and the person it belongs to",
        ("source", "source_id"),
        (
            *_SOURCE,
            _CUSTOMER,
            _flag("has_person_record", "False when only orders or events name it", nullable=False),
        ),
    ),
    Table(
        "link_pairs",
        "linked",
        "two records compared",
        ("source_l", "source_id_l", "source_r", "source_id_r"),
        (
            _text("source_l", "system of the first record", nullable=False),
            _text("source_id_l", "first record", nullable=False),
            _text("source_r", "system of the second record", nullable=False),
            _text("source_id_r", "second record", nullable=False),
            _number("match_weight", "evidence for one person, in bits", "log2", nullable=False),
            _number(
                "match_probability",
                "probability that both are one person",
                "probability",
                nullable=False,
                minimum=0,
                maximum=1,
            ),
            _number(
                "field_probability",
                "the same by their fields alone, whoever else fits",
                "probability",
                nullable=False,
                minimum=0,
                maximum=1,
            ),
        ),
    ),
    Table(
        "compared_records",
        "linked",
        "a record of a person as linkage compares it",
        ("source", "source_id"),
        (
            *_SOURCE,
            _integer("fingerprint", "number that changes when the record does", "", nullable=False),
            _text("title", "civility", personal=True),
            _text("first_name", "given name in small letters without accents", personal=True),
            _text("last_name", "family name in small letters without accents", personal=True),
            _flag("first_name_read", "read from the e-mail", nullable=False),
            _flag("last_name_read", "read from the e-mail", nullable=False),
            _text("birth_date", "date of birth, year first", personal=True),
            _text("email", "e-mail address in small letters", personal=True),
            _text("email_name", "what stands before the @", personal=True),
            _text("phone", "telephone number", personal=True),
            _text("street", "number and street in small letters", personal=True),
            _text("postcode", "postal code", personal=True),
            _text("city", "town in small letters", personal=True),
            _date("opened_on", "day the record was created"),
            _number("names_together", "how much its two names go together, below 0: often", "bits"),
        ),
    ),
    Table(
        "id_history",
        "linked",
        "one thing that happened to an id of a customer",
        (),
        (
            _integer("run", "how many times ids were accepted before, and one", nullable=False),
            _text("from_id", "id before; empty for a new customer"),
            _text("to_id", "id after; empty for a customer that is gone"),
            _AS_OF,
            _text(
                "why",
                "merged and split: by the evidence; unlinked and labelled: asked for by a person",
                allowed=("new", "gone", "merged", "split", "unlinked", "labelled"),
                nullable=False,
            ),
            _integer("records", "records that went from the one to the other", nullable=False),
        ),
    ),
]

# --- customers --------------------------------------------------------------------------------

_ALL += [
    Table(
        "customers",
        "customers",
        "a customer: the golden record",
        ("customer_id",),
        (
            _CUSTOMER,
            _AS_OF,
            *_PERSON,
            _integer("records", "source records behind it", nullable=False),
            _text("sources", "systems that know the person, separated by ;"),
            _time("created_at", "oldest creation date of its records"),
            _time("updated_at", "latest change among its records"),
            _time("first_order_at", "first order"),
            _time("last_order_at", "last order"),
            _integer("orders", "orders", nullable=False),
            _number("net_amount", "brought in over all its records", "currency", nullable=False),
            _number("margin", "margin over all its records", "currency"),
            *_REACHABLE,
            *_PLACE,
        ),
    ),
    Table(
        "golden_provenance",
        "customers",
        "a field of a customer and where its value comes from",
        ("customer_id", "field"),
        (
            _CUSTOMER,
            _text("field", "field of the golden record", nullable=False),
            _text("value", "value kept", personal=True),
            _text("source", "system it comes from"),
            _text("source_id", "record it comes from"),
            _time("updated_at", "date of that record"),
            _text("rule", "rule that decided", nullable=False),
            _integer("candidates", "different values among the records", nullable=False),
            _flag(
                "completed",
                "filled in, or spelt, from other data than this field of the customer's records",
                nullable=False,
            ),
            _text("runner_up", "second best value", personal=True),
            _text("runner_up_source", "system the second best value comes from"),
            _time("runner_up_at", "date of its record"),
        ),
    ),
    Table(
        "reachability",
        "customers",
        "a customer and a channel of which a contact point or a consent is known",
        ("customer_id", "channel"),
        (
            _CUSTOMER,
            _text("channel", "how the message would be sent", nullable=False, allowed=DIRECT),
            _flag("reachable", "there is a contact point that works or may work", nullable=False),
            _text(
                "state",
                "what messages sent there say; changed: the record changed after the failure",
                nullable=False,
                allowed=("works", "untried", "soft", "hard", "changed", "missing"),
            ),
            _time("state_at", "date of the message that says so"),
            _text("state_reason", "why it failed, or why it cannot be used"),
            _flag("mended", "another record's dead value was replaced", nullable=False),
            _flag("consent", "agreed; empty when nobody asked"),
            _time("consent_at", "when that was said"),
            _text("consent_reason", "unsubscribed, or the system that holds the consent"),
            _flag("may_contact", "reachable and agreed", nullable=False),
        ),
    ),
    Table(
        "repair_queue",
        "customers",
        "a contact point of a customer worth mending",
        ("customer_id", "field"),
        (
            _CUSTOMER,
            _text("field", "what to mend", nullable=False, allowed=("email", "phone", "address")),
            _text("reason", "what is wrong with it", nullable=False),
            _time("at", "since when that is known"),
            _text("source", "system whose record is to be mended"),
            _text("source_id", "that record"),
            _text("action", "what to try", nullable=False),
            _text("try_value", "value to write there instead", personal=True),
            _text("try_source", "system that value comes from"),
            _time("try_at", "date of its record"),
            _number("margin_last_year", "margin of the last 365 days", "currency"),
            _number("reach_gain", "reach that mending adds", "probability", minimum=0, maximum=1),
            _number(
                "expected_value",
                "margin of the last 365 days times the reach added",
                "currency",
                nullable=False,
            ),
        ),
    ),
    Table(
        "customer_orders",
        "customers",
        "an order line of a customer",
        ("source", "order_id", "line_no"),
        (
            _CUSTOMER,
            *_SOURCE,
            *_ORDER_LINE,
            _ORDERED_ON,
            Column("status", "text", _STATUS.about, nullable=False, allowed=_STATUS.allowed),
            _number("net_amount", "what the line brought in: 0 if returned or unpaid", "currency"),
            _number("margin", "net amount less cost of the goods", "currency"),
        ),
    ),
    Table(
        "customer_contacts",
        "customers",
        "an event of one contact with a customer",
        ("contact_id", "event"),
        (_CUSTOMER, *_RAW["contacts"][2], _number("cost", "cost of the message", "currency")),
    ),
    Table(
        "customer_conversations",
        "customers",
        "a conversation with a customer",
        (),
        (_CUSTOMER, *_RAW["conversations"][2]),
    ),
    Table(
        "customer_web_events",
        "customers",
        "a hit of a visit that a log-in tells whose it is",
        (),
        (
            _CUSTOMER,
            *_RAW["web_events"][2],
            _time("known_at", "when it was known whose hit this is: its own log-in or a later one"),
            _text(
                "evidence",
                "what tells whose it is: a log-in in the visit, or another visit's on the device",
                allowed=("visit", "device"),
            ),
        ),
    ),
]

# --- features ---------------------------------------------------------------------------------

FEATURES = (
    _number("recency_days", "days since the last purchase", "days", minimum=0),
    _integer("frequency", "days on which the customer bought", "purchase days", minimum=0),
    _number("monetary_value", "average net amount of a purchase day", "currency"),
    _number("tenure_days", "days since the first purchase", "days", minimum=0),
    _number("net_amount", "net amount since the beginning", "currency"),
    _number("margin", "margin since the beginning", "currency"),
    _number("net_amount_last_period", "net amount in the last horizon", "currency"),
    _number("net_amount_previous_period", "net amount in the horizon before that", "currency"),
    _integer("orders_last_period", "purchase days in the last horizon", "purchase days"),
    _integer("orders_previous_period", "purchase days in the horizon before", "purchase days"),
    _number("gap_mean_days", "average days between two purchase days", "days"),
    _number("gap_std_days", "spread of the days between two purchase days", "days"),
    _number("recency_over_gap", "recency in units of the customer's own rhythm", "ratio"),
    _number("gap_max_days", "longest pause between two purchase days so far", "days"),
    _number("season_ahead_share", "purchase days whose anniversary falls in the horizon", "share"),
    _number(
        "yearly_rhythm",
        "how much purchases keep to one time of the year; 1: one day, or one purchase only",
        "0 to 1",
    ),
    _number("gap_last_days", "days between the last two purchase days", "days"),
    _number("silence_over_rhythm", "recency over the mean or spread of the pauses", "ratio"),
    _integer("orders_last_quarter", "purchase days in the last 91 days", "purchase days"),
    _integer("orders_last_half", "purchase days in the last 182 days", "purchase days"),
    _integer("orders_last_year", "purchase days in the last 365 days", "purchase days"),
    _number("known_days", "days since the first record or purchase", "days", minimum=0),
    _number("known_before_days", "days known before the first purchase seen", "days", minimum=0),
    _number("purchase_rate", "purchase days a year while watched, shrunk", "a year"),
    _number("purchases_missed", "purchases expected of the silence at that rate", "purchases"),
    _number("basket_lines", "average lines an order", "lines"),
    _number("discount_share", "share of the value bought with a reduction", "share"),
    _number("returned_share", "share of lines returned", "share"),
    _number("unpaid_share", "share of lines unpaid", "share"),
    _integer("categories", "different categories bought"),
    _text("main_category", "category bought most"),
    _number("main_category_share", "share of it in the amounts", "share"),
    _integer("channels", "different channels used"),
    _text("main_channel", "channel used most"),
    _number("main_channel_share", "share of it in the order lines", "share"),
    _number("web_hits_last_period", "hits while logged in, last horizon", "hits"),
    _number("days_since_visit", "days since the last visit while logged in", "days"),
    _number("contacts_last_period", "messages received, last horizon", "messages"),
    _number("opened_share", "share of messages opened", "share"),
    _number("days_since_open", "days since a message was last opened", "days"),
    _number("days_since_conversation", "days since the last conversation", "days"),
    _number("conversations_last_period", "conversations, last horizon", "conversations"),
    _number("claims_last_period", "claims among them", "conversations"),
    _number("cost_to_serve", "cost of conversations since the beginning", "currency"),
    _number("cost_to_contact", "cost of messages since the beginning", "currency"),
)

# What a customer's own habits let expect: features of the churn model.
HABITS = (
    _number("habit_silence", "probability of no purchase, by its habits", "probability"),
    _number("habit_yearly", "probability to come in one season of the year only", "probability"),
)

# Letters of RFMCCA that the micro-segments read beside the features.
SEGMENT_EXTRAS = ("effective_categories", "effective_channels", "affinity")
RFMCCA = (
    _integer("categories", "different categories bought"),
    _text("main_category", "category bought most, by order lines"),
    _number("main_category_share", "share of it in the order lines", "share"),
    _number("category_entropy", "how evenly the categories are bought", "nats"),
    _number("effective_categories", "as many equal ones would be as varied", "categories"),
    _integer("channels", "different channels used"),
    _text("main_channel", "channel used most"),
    _number("main_channel_share", "share of it in the order lines", "share"),
    _number("effective_channels", "as many equal ones would be as varied", "channels"),
    _number("affinity", "goods that go together, against the crowd (1: alike)", "ratio"),
    _text("pair_category", "a category that goes, for this customer, together with"),
    _text("pair_other", "this one"),
    _number("pair_lift", "how much more often than the crowd would have it", "ratio"),
    _text("next_category", "not bought yet, and goes best with what is"),
    _number("next_lift", "how well it goes with it", "ratio"),
)

_ALL += [
    Table(
        "features",
        "features",
        "a customer as known on a day",
        ("customer_id", "as_of"),
        (_CUSTOMER, _AS_OF, *FEATURES),
    ),
    Table(
        "purchase_days",
        "features",
        "a day on which a customer bought",
        ("customer_id", "day"),
        (
            _CUSTOMER,
            _date("day", "the day", nullable=False),
            _integer("orders", "orders that day", nullable=False),
            _number("net_amount", "net amount that day", "currency", nullable=False),
            _number("margin", "margin that day", "currency"),
        ),
    ),
]

# --- scores -----------------------------------------------------------------------------------

# What a contact does to a customer, seen from one message (Radcliffe and Surry 1999).
QUADRANTS = ("persuadable", "sure_thing", "lost_cause", "sleeping_dog")
# A contact and the customer it meets, as models of response read them.
CONTACT_SIGNALS = {
    "rate": "purchases a year, as a logarithm",
    "quarter": "orders of the last 91 days, as a logarithm",
    "half": "orders of the last 182 days, as a logarithm",
    "year": "orders of the last 365 days, as a logarithm",
    "missed": "purchases that its rhythm would have made since the last, as a logarithm",
    "recency": "days since the last purchase, as a logarithm",
    "never": "1: never bought",
    "known": "days on file, as a logarithm",
    "same_season": "orders in the same weeks of earlier years, as a logarithm",
    "season": "the shop a year ago beside its average, as a logarithm",
    "age": "age, 0 is usual",
    "age_unknown": "1: age not known",
    "spend": "amount of an order, as a logarithm",
    "promotions": "reduced lines beside what was usual in those weeks, as a logarithm",
    "reduced": "share of spending saved by reductions, in tenths",
    "coupons_used": "orders with a coupon, as a logarithm",
    "coupons_kept": "orders that could have used a coupon and did not, as a logarithm",
    "coupon_rate": "coupons used beside messages received, as a logarithm",
    "coupons": "coupons in the message, as a logarithm",
    "coupon_habit": "coupons used beside chances to use one, as a logarithm",
    "opens": "share of e-mails opened",
    "clicks": "share of e-mails clicked",
    "fatigue": "recent messages, older ones fading",
    "fresh": "how recent the last message is, 1 is yesterday",
    "bounced": "messages that came back, as a logarithm",
    "talks": "conversations of the last 182 days, as a logarithm",
    "visits": "days on the site in the last 182 days, as a logarithm",
    "taste": "share of spending in the category offered",
    "depth": "reduction, as a square root",
    "depth_for_lovers": "the same, for those who use reductions",
    "gift": "1: a gift",
    **{
        f"by_{channel}": f"1: by {channel}"
        for channel in ("email", "sms", "phone", "post", "social", "web")
    },
}
_PROBABILITY = {"minimum": 0, "maximum": 1}


def _health(stage: str, whose: str) -> Table:
    """Whether a model still holds, month by month: the same columns for every model."""
    figures = {
        "total_error": ("predicted / observed - 1", "share"),
        "calibration_error": ("mean gap of predicted and observed, over tenths", "as predicted"),
        "lift_at_10pct": ("observed in the tenth foretold highest / observed in all", "ratio"),
        "roc_auc": ("chance that who did was foretold higher than who did not", "probability"),
    }
    return Table(
        f"{stage}_health",
        "scores",
        f"a month of {whose}: what was foretold and what happened",
        ("as_of",),
        (
            _text("model", "stage of the model", nullable=False),
            _date("learnt_until", "last day of which it learnt anything", nullable=False),
            _date("as_of", "day scored, or first day of the month", nullable=False),
            _integer("horizon_days", "length of the window in which it happened", "days"),
            _flag("in_training", "before learnt_until: the model may have seen it"),
            _integer("customers", "customers scored"),
            _number("predicted", "mean foretold: probability, or number", "as predicted"),
            _number("observed", "mean of what happened", "as predicted"),
            *(
                _number(name + end, about + words, unit)
                for name, (about, unit) in figures.items()
                for end, words in (
                    ("", ""),
                    ("_low", ", lower end of a 95 % interval"),
                    ("_high", ", upper end of a 95 % interval"),
                )
            ),
        ),
    )


# Columns of a hit that the model of intent reads, beside the visitor.
INTENT_READS = ("at", "kind", "page", "category", "referrer", "device")
_ALL += [
    Table(
        "segments",
        "scores",
        "a customer and its segments on a day",
        ("customer_id",),
        (
            _CUSTOMER,
            _AS_OF,
            _integer("r_score", "recency, 5 is the most recent fifth", "1 to 5"),
            _integer("f_score", "frequency, 5 is the most frequent fifth", "1 to 5"),
            _integer("m_score", "monetary, 5 is the highest fifth", "1 to 5"),
            _text("potential_class", "class of potential", allowed=POTENTIAL_CLASSES),
            _number("cycle_p_value", "chance that the rhythm is luck", "probability"),
            _number("cycle_days", "length of the cycle of a cyclic customer", "days"),
            _date("next_cycle_on", "when a cyclic customer is expected next"),
            _date("window_from", "first day of the window in which it is expected"),
            _date("window_until", "last day of that window"),
            _integer("segment", "micro-segment number", "number"),
            _text("segment_name", "micro-segment in words"),
            _text("portrait", "the micro-segment in one line"),
        ),
    ),
    Table(
        "rfmcca",
        "scores",
        "a customer and its six letters on a day",
        ("customer_id", "as_of"),
        (
            _CUSTOMER,
            _AS_OF,
            _number("recency_days", "days since the last purchase", "days", minimum=0),
            _integer("frequency", "days on which the customer bought", "purchase days"),
            _number("monetary_value", "average net amount of a purchase day", "currency"),
            _number("margin", "margin since the beginning", "currency"),
            *RFMCCA,
            _integer("r_score", "recency, 5 is the most recent fifth", "1 to 5"),
            _integer("f_score", "frequency, 5 is the most frequent fifth", "1 to 5"),
            _integer("m_score", "monetary, 5 is the highest fifth", "1 to 5"),
            _integer("category_score", "categories, 5 is the most varied fifth", "1 to 5"),
            _integer("channel_score", "channels, 5 is the most varied fifth", "1 to 5"),
            _integer("affinity_score", "affinities, 5 is the most connected fifth", "1 to 5"),
            _number("potential_score", "the six letters in one", "0 to 100"),
        ),
    ),
    Table(
        "rfmcca_categories",
        "scores",
        "a customer and a category it bought",
        ("customer_id", "as_of", "category"),
        (
            _CUSTOMER,
            _AS_OF,
            _text("category", "the category", nullable=False),
            _integer("orders", "orders that hold it", "orders"),
            _number("share", "its share in the categories of the orders", "share"),
            _number("amount", "paid for it", "currency"),
            _number("lift", "share over that of the crowd, shrunk", "ratio"),
        ),
    ),
    Table(
        "category_affinities",
        "scores",
        "two categories, and how they go together",
        ("category", "other"),
        (
            _text("category", "a category", nullable=False),
            _text("other", "another", nullable=False),
            _integer("orders", "orders that hold both", "orders"),
            _number("lift", "over what chance would give, shrunk", "ratio"),
            _number("follows", "share of orders with the first that hold the other", "share"),
        ),
    ),
    Table(
        "cross_sell_scores",
        "scores",
        "a customer and what it may want next",
        ("customer_id", "rank"),
        (
            _CUSTOMER,
            _AS_OF,
            _integer("rank", "1 for the first suggestion", "number", nullable=False),
            _text("item", "the product, or the category", nullable=False),
            _text("item_kind", "what the item is", allowed=("product", "category")),
            _text("category", "category of the item"),
            _number("score", "wish for it, to rank the items of one customer", "score"),
            _text("reason", "what of the customer's purchases speaks for it, in words"),
        ),
    ),
    Table(
        "segment_moves",
        "scores",
        "customers who went from one segment to another",
        ("from_segment", "to_segment"),
        (
            _integer(
                "from_segment",
                "segment on the holdout day; -1: not yet a customer",
                nullable=False,
            ),
            _integer("to_segment", "segment today", "number", nullable=False),
            _integer("customers", "customers", "customers"),
        ),
    ),
    Table(
        "families",
        "scores",
        "a customer and its four families of segments",
        ("customer_id",),
        (
            _CUSTOMER,
            _AS_OF,
            _text("funnel_stage", "from unaware to leaving", allowed=FUNNEL),
            _text("age_band", "age, ten years wide", personal=True),
            _text("urbanity", "kind of place of the postcode"),
            _text("income_band", "third of the postcodes by median income"),
            _text("trigger", "theme of the messages it answers to"),
            _number("trigger_lift", "answers beyond the usual, over those expected", "ratio"),
            _integer("messages", "messages with a theme it got", "messages"),
        ),
    ),
    Table(
        "customer_life_events",
        "scores",
        "an event in the life of a customer, declared or detected",
        ("customer_id", "kind"),
        (
            _CUSTOMER,
            _text("kind", "what happened", nullable=False, personal=True),
            _date("day", "when, about"),
            _text("origin", "how it is known", allowed=("declared", "detected")),
            _number("confidence", "chance that it happened", "probability", minimum=0, maximum=1),
        ),
    ),
    Table(
        "behaviour",
        "scores",
        "a customer and its habits",
        ("customer_id",),
        (
            _CUSTOMER,
            _AS_OF,
            _number("basket_amount", "average order", "currency"),
            _number("basket_lines", "average lines of an order", "lines"),
            _text("main_payment", "means of payment used most"),
            _text("main_delivery", "delivery used most"),
            _text("talks_by", "channel of most of its own conversations"),
            _integer("claims", "conversations about something that went wrong", "conversations"),
            _number("returned_share", "share of lines returned", "share"),
            _integer("messages", "e-mails received", "messages"),
            _number("opened_share", "share of them opened, shrunk", "share"),
            _number("promo_share", "share of lines bought with a reduction, shrunk", "share"),
            _number("price_sensitivity", "elasticity above the crowd's, shrunk", "elasticity"),
            _number("price_information", "what the data say of it", "information"),
        ),
    ),
    Table(
        "churn_scores",
        "scores",
        "a customer and its probability to leave",
        ("customer_id",),
        (
            _CUSTOMER,
            _AS_OF,
            _integer("horizon_days", "days without a purchase that count as leaving", "days"),
            _number("churn_probability", "probability to leave", "probability", **_PROBABILITY),
            _number("churn_low", "the same, lower end of an 80 % interval", "probability"),
            _number("churn_high", "the same, upper end of an 80 % interval", "probability"),
            _number("days_to_return", "days within which half of those alike are back", "days"),
            _number("palive", "probability to be still a customer (BTYD)", "probability"),
            *HABITS,
            _number(
                "silence_year",
                "probability of no purchase in a year, which holds every season, by its habits",
                "probability",
            ),
            _date("returns_from", "first day of the season a yearly customer is expected in"),
            _date("returns_until", "last day of that season"),
            _text("reason_1", "what weighs most, in words"),
            _text("reason_2", "what weighs second"),
            _text("reason_3", "what weighs third"),
            _text("raison_1", "what weighs most, in French"),
            _text("raison_2", "what weighs second, in French"),
            _text("raison_3", "what weighs third, in French"),
        ),
    ),
    Table(
        "clv_scores",
        "scores",
        "a customer and its value",
        ("customer_id",),
        (
            _CUSTOMER,
            _AS_OF,
            _integer("frequency", "repeat purchase days", "purchase days"),
            _number("recency_days", "age at the last purchase (BTYD)", "days"),
            _number("T_days", "age: days since the first purchase (BTYD)", "days"),
            _number("monetary_value", "average margin of a repeat purchase day", "currency"),
            _number("palive", "probability to be still a customer", "probability"),
            _number("expected_purchases", "purchase days expected over the horizon", "days"),
            _number("pace_factor", "what recent pace changes in the purchases expected", "ratio"),
            _number("expected_margin", "margin expected of one purchase day", "currency"),
            _number("value_factor", "what the champion of the values changes in it", "ratio"),
            _number("cost_to_serve", "cost to serve and contact expected", "currency"),
            _number("clv", "discounted margin less cost over the horizon", "currency"),
            _number("clv_low", "the same, lower end of an 80 % interval", "currency"),
            _number("clv_high", "the same, upper end of an 80 % interval", "currency"),
        ),
    ),
    Table(
        "value_history",
        "scores",
        "a customer at a month end, and what moved its value since the month before",
        ("customer_id", "as_of"),
        (
            _CUSTOMER,
            _AS_OF,
            _number("value", "discounted margin less cost expected", "currency", nullable=False),
            _number("move", "change since the month before", "currency", nullable=False),
            _number("part_arrival", "of it: a first value, of a new customer", "currency"),
            _number(
                "part_recency",
                "of it: a month of silence, old claims fading",
                "currency",
            ),
            _number("part_purchases", "of it: purchase days of the month", "currency"),
            _number("part_spend", "of it: margin a purchase", "currency"),
            _number("part_segment", "of it: rank of frequency changed", "currency"),
            _number("part_experience", "of it: claims made in the month", "currency"),
            _number("part_cost", "of it: cost to serve and to contact", "currency"),
        ),
    ),
    Table(
        "retention_list",
        "scores",
        "a customer whose value falls, most at stake first",
        ("customer_id",),
        (
            _CUSTOMER,
            _AS_OF,
            _number("value_at_stake", "value before it fell, currency", "currency"),
            _number("fall", "share of that value lost in three months", "share"),
            _number("churn_probability", "probability to leave", "probability", **_PROBABILITY),
            _number("palive", "probability that it can still be undone", "probability"),
            _number("priority", "value at stake x fall x palive x churn_probability", "currency"),
            _text("reason", "the part that fell most"),
        ),
    ),
    Table(
        "forecast",
        "scores",
        "a month ahead and a group of customers",
        ("month", "customers"),
        (
            _date("month", "first day of the month", nullable=False),
            _text("customers", "today's customers, newcomers, or all", nullable=False),
            *(
                _number(f"{name}{end}", f"{name} expected{about}", unit)
                for name, unit in (
                    ("transactions", "purchase days"),
                    ("revenue", "currency"),
                    ("margin", "currency"),
                )
                for end, about in (
                    ("", ""),
                    ("_low", ", lower end of an 80 % interval"),
                    ("_high", ", upper end of an 80 % interval"),
                )
            ),
        ),
    ),
    Table(
        "scenario_actions",
        "scores",
        "a message that a scenario made due",
        ("customer_id", "scenario", "due_on"),
        (
            _CUSTOMER,
            _text("scenario", "as in scenarios.yaml", nullable=False),
            _date("due_on", "day from which it could go", nullable=False),
            _date("day", "when it goes, or was stopped last", nullable=False),
            _text("channel", "how; empty when stopped", allowed=CHANNELS),
            _integer("priority", "1 goes first", "", nullable=False),
            _text("content", "what the tool shall send", nullable=False),
            _text("stopped_by", "what stopped it; empty when it goes"),
        ),
    ),
    Table(
        "conversation_scores",
        "scores",
        "a conversation and how it left the customer",
        (),
        (
            _CUSTOMER,
            *_ANY_SOURCE,
            _time("at", "when", nullable=False),
            _number(
                "dissatisfied_probability",
                "probability that it left the customer dissatisfied",
                "probability",
                **_PROBABILITY,
            ),
        ),
    ),
    Table(
        "dissatisfaction_scores",
        "scores",
        "a customer who talked and how dissatisfied it is",
        ("customer_id",),
        (
            _CUSTOMER,
            _AS_OF,
            _number(
                "dissatisfaction",
                "probability to be dissatisfied today, older conversations fading",
                "probability",
                **_PROBABILITY,
            ),
            _integer("conversations", "conversations in the last horizon", "conversations"),
            _number("last_probability", "of the last conversation", "probability", **_PROBABILITY),
            _time("last_at", "when that was"),
            _text("words", "words that tell most in the worst conversation, separated by ,"),
        ),
    ),
    Table(
        "dissatisfaction_holdout",
        "scores",
        "a conversation after those learnt from, and the score given for it",
        (),
        (
            _CUSTOMER,
            _text("text", "what was said", personal=True),
            _text("reason", "what it was about"),
            _text("channel", "how"),
            _number("score", "CSAT, 1 to 5", "points", nullable=False),
        ),
    ),
    Table(
        "intent_scores",
        "scores",
        "a visitor whom nobody has recognised yet, and what it is about to do",
        ("visitor_id",),
        (
            _text("visitor_id", "the device or cookie", nullable=False),
            _AS_OF,
            _time("last_at", "its last hit", nullable=False),
            _number(
                "visit_probability",
                "chance of an order in that visit",
                "probability",
                **_PROBABILITY,
            ),
            _number(
                "soon_probability",
                "chance of one within the horizon",
                "probability",
                **_PROBABILITY,
            ),
            *(
                column
                for rank, word in ((1, "most"), (2, "second"), (3, "third"))
                for column in (
                    _text(f"category_{rank}", f"category wanted {word}"),
                    _number(f"category_{rank}_probability", "its chance", "probability"),
                )
            ),
        ),
    ),
    Table(
        "intent_holdout",
        "scores",
        "a hit before a moment that models of intent are judged at",
        (),
        (
            _text("visitor_id", "the moment, under a number of its own", nullable=False),
            *(c for c in _RAW["web_events"][2] if c.name in INTENT_READS),
            _flag("buys_soon", "an order followed within the horizon"),
        ),
    ),
    Table(
        "response_scores",
        "scores",
        "a customer, a channel and an offer: what a contact would do",
        ("customer_id", "channel", "offer"),
        (
            _CUSTOMER,
            _AS_OF,
            _text("channel", "how it would be contacted", nullable=False),
            _text("offer", "what it would be offered, for example percent_20", nullable=False),
            _number("depth", "reduction", "share", **_PROBABILITY),
            _number(
                "propensity", "probability to order within 14 days", "probability", **_PROBABILITY
            ),
            _number("uplift", "extra orders because of the contact; empty if untested", "orders"),
            _number("uplift_low", "the same, lower end of a 90 % interval", "orders"),
            _number("uplift_high", "the same, upper end of a 90 % interval", "orders"),
            _number("expected_margin", "margin the contact adds before its own cost", "currency"),
            _number("confirmed_margin", "what past hold-outs confirm of it", "currency"),
            _text("quadrant", "what the contact would be to it", allowed=QUADRANTS),
        ),
    ),
    Table(
        "promo_amounts",
        "scores",
        "a profile of customers at a stage of their life, and an offer",
        ("profile", "maturity", "offer"),
        (
            _text("profile", "how fond of promotions", nullable=False),
            _text("maturity", "how long known", nullable=False),
            _text("offer", "the offer", nullable=False),
            _number("depth", "reduction", "share", **_PROBABILITY),
            _integer("contacts", "contacts sent with it", "contacts"),
            _number("effect", "extra orders a contact", "orders"),
            _number("effect_low", "the same, lower end of a 90 % interval", "orders"),
            _number("effect_high", "the same, upper end of a 90 % interval", "orders"),
            _number("margin_gain", "margin a contact adds, reductions paid", "currency"),
            _flag("pays", "adds more than a message without reduction, and keeps the margin floor"),
            _flag("smallest_that_pays", "the smallest reduction that pays"),
        ),
    ),
    Table(
        "response_holdout",
        "scores",
        "a contact after those learnt from, and the orders that followed",
        ("contact_id",),
        (
            _text("contact_id", "the contact", nullable=False),
            _CUSTOMER,
            _date("day", "day of the contact"),
            _flag("treated", "sent; otherwise held out at random"),
            _number("propensity", "share sent of the campaign", "share", **_PROBABILITY),
            _number("orders", "orders within 14 days", "orders"),
            *(_number(name, about, "signal") for name, about in CONTACT_SIGNALS.items()),
        ),
    ),
    Table(
        "decisions",
        "scores",
        "a message planned for a customer",
        ("customer_id", "slot"),
        (
            _CUSTOMER,
            _AS_OF,
            _integer("slot", "week of the plan, from 1 on", nullable=False),
            _date("day", "when it is sent: the customer's usual day of the week", nullable=False),
            _text("goal", "what it is for", nullable=False, allowed=GOALS),
            _text("offer", "kind and depth of the offer (percent_20), or none", nullable=False),
            _text("category", "what it is about"),
            _text("theme", "what it appeals to; empty: in turn, to learn from"),
            _text("image", "the picture that goes with it; empty: in turn"),
            _number("amount", "depth of the offer", "share", **_PROBABILITY),
            _text("channel", "how it is sent", nullable=False, allowed=CHANNELS),
            _number("cost", "of sending it", "currency", minimum=0),
            _number("expected_margin", "margin it is expected to add, cost deducted", "currency"),
            _number("confirmed_margin", "what past hold-outs confirm of it", "currency"),
            _flag("explored", "drawn at random, so that the next plan knows more"),
            _text("decision_id", "by which its result is found again", nullable=False),
        ),
    ),
    Table(
        "audiences",
        "scores",
        "a customer in an audience with a name",
        ("name", "customer_id"),
        (
            _text("name", "as in campaigns.yaml; control: left alone by the plan", nullable=False),
            _CUSTOMER,
            _AS_OF,
        ),
    ),
    Table(
        "service_levels",
        "scores",
        "a customer and how it is served",
        ("customer_id",),
        (
            _CUSTOMER,
            _AS_OF,
            _text("level", "name of the level", nullable=False),
            _number("response_hours", "until somebody answers", "hours"),
            _text("care_channel", "how care gets back to the customer"),
            _number("gesture", "may be given away when something went wrong", "currency"),
            _number("value", "customer value (clv) that the level was chosen by", "currency"),
            _number("conversations", "expected in the weeks planned", "count", minimum=0),
        ),
    ),
    Table(
        "churn_holdout",
        "scores",
        "a customer on the holdout day, and whether it left",
        ("customer_id",),
        (_CUSTOMER, _AS_OF, *FEATURES, *HABITS, _flag("churned", "no purchase in the horizon")),
    ),
    Table(
        "clv_holdout",
        "scores",
        "a customer at the end of the calibration, and what it then did",
        ("customer_id",),
        (
            _CUSTOMER,
            _integer("frequency", "repeat purchase days", "purchase days"),
            _number("recency_days", "age at the last purchase (BTYD)", "days"),
            _number("T_days", "age (BTYD)", "days"),
            _number("monetary_value", "average margin of a repeat purchase day", "currency"),
            _integer("holdout_transactions", "purchase days in the holdout", "purchase days"),
            _number("holdout_margin", "margin in the holdout", "currency"),
            _number("holdout_days", "length of the holdout", "days"),
        ),
    ),
    Table(
        "churn_past",
        "scores",
        "a customer at risk on a past day, and whether it left; its features are in `features`",
        ("customer_id", "as_of"),
        (_CUSTOMER, _AS_OF, *HABITS, _flag("churned", "no purchase in the horizon")),
    ),
    _health("churn", "the churn model of page 06, left alone since `learnt_until`"),
    _health("clv", "the model of purchases of page 07, learnt until the calibration ended"),
    _health("response", "the response model of page 08, learnt until the calibration ended"),
    Table(
        "churn_drift",
        "scores",
        "a month and a feature of churn: how far it is from what the model learnt from",
        ("as_of", "feature"),
        (
            _AS_OF,
            _text("feature", "column of `features` or habit", nullable=False),
            _number(
                "stability_index", "population stability index (0: the same)", "index", minimum=0
            ),
        ),
    ),
    Table(
        "segmentation_holdout",
        "scores",
        "a customer on the holdout day, and what it then brought",
        ("customer_id",),
        (
            _CUSTOMER,
            _AS_OF,
            *FEATURES,
            *(column for column in RFMCCA if column.name in SEGMENT_EXTRAS),
            _number("future_margin", "margin after", "currency"),
        ),
    ),
    Table(
        "contact_outcomes",
        "measured",
        "a contact, and what became of it",
        ("contact_id",),
        (
            _text("contact_id", "the contact", nullable=False),
            _CUSTOMER,
            _text("campaign_id", "its campaign"),
            _text("variant", "its variant"),
            _text("channel", "how"),
            _date("contacted_on", "day of the first event, UTC", nullable=False),
            _number("cost", "cost of the message", "currency"),
            *(_flag(name, about) for name, about in OUTCOME_FLAGS.items()),
            _text("reason", "why it came back"),
            _integer("orders", "orders in the two weeks after", "orders"),
            _number("net_amount", "net amount of those weeks", "currency"),
            _number("margin", "margin of those weeks", "currency"),
            _integer("orders_before", "orders in the year before", "orders"),
            _number("margin_before", "margin of the year before", "currency"),
        ),
    ),
    Table(
        "contact_rates",
        "measured",
        "a rate of a group of messages",
        (),
        (
            _text(
                "by",
                "what groups are told apart by: channel, campaign, segment, month...",
                nullable=False,
            ),
            _text("group", "which", nullable=False),
            _text("channel", "how", nullable=False),
            _text("rate", "what is counted", nullable=False),
            _integer("count", "messages that did", "messages"),
            _integer("of", "messages that could", "messages"),
            *(
                _number(name, about, "share", **_PROBABILITY)
                for name, about in (
                    ("share", "count of of"),
                    ("low", "95 % interval, from"),
                    ("high", "95 % interval, to"),
                    ("shrunk", "share drawn to that of the channel"),
                )
            ),
        ),
    ),
    Table(
        "results",
        "measured",
        "a campaign's variant, and what it earned",
        ("campaign_id", "variant", "channel"),
        (
            _text("campaign_id", "the campaign", nullable=False),
            _text("variant", "the variant", nullable=False),
            _text("channel", "how", nullable=False),
            _flag("tested", "some were held out at random", nullable=False),
            _integer("contacted", "contacts", "contacts"),
            _integer("held_out", "of the campaign, with all variants", "contacts"),
            _number("cost", "cost of the messages", "currency"),
            _number("effect", "margin that a contact caused", "currency"),
            _number("low", "95 % interval, from", "currency"),
            _number("high", "95 % interval, to", "currency"),
            _number("p_value", "chance of as much without any effect", "probability"),
            _number("incremental", "margin that all contacts caused", "currency"),
            _number("incremental_low", "95 % interval, from", "currency"),
            _number("incremental_high", "95 % interval, to", "currency"),
            _number("earned", "incremental less cost", "currency"),
            _number("return", "earned for a unit of cost", "ratio"),
        ),
    ),
    Table(
        "attribution",
        "measured",
        "a channel, and what a rule credits it with beside what hold-outs prove",
        ("channel", "rule"),
        (
            _text("channel", "the channel or referrer", nullable=False),
            _text("rule", "rule of attribution", nullable=False),
            _number("credited", "orders", "orders"),
            _number("credited_revenue", "their amount", "currency"),
            _number("proven", "orders that the hold-outs prove", "orders"),
            _number("proven_low", "95 % interval, from", "orders"),
            _number("proven_high", "95 % interval, to", "orders"),
            _number("overstated", "credited less proven", "orders"),
            _number("margin_after_cost", "of what is proven", "currency"),
            _number("margin_after_cost_low", "95 % interval, from", "currency"),
            _number("margin_after_cost_high", "95 % interval, to", "currency"),
            _text("advice", "more, less, keep or test first"),
        ),
    ),
    Table(
        "theme_effects",
        "measured",
        "a theme at a funnel stage, and what its messages caused there",
        ("funnel_stage", "theme"),
        (
            _text(
                "funnel_stage", "stage on the day of the contact", nullable=False, allowed=FUNNEL
            ),
            _text("theme", "what the message appeals to", nullable=False),
            _integer("contacts", "messages sent", "messages"),
            _integer("answered", "delivered ones followed by an order within two weeks"),
            _number("rate", "answered of delivered", "share", **_PROBABILITY),
            _number("rate_low", "95 % interval, from", "share", **_PROBABILITY),
            _number("rate_high", "95 % interval, to", "share", **_PROBABILITY),
            _integer("tested", "messages of campaigns that held some out there", "messages"),
            _integer("held_out", "customers held out of those campaigns", "contacts"),
            _number("effect", "orders that a message caused", "orders"),
            _number("low", "95 % interval, from", "orders"),
            _number("high", "95 % interval, to", "orders"),
            _number("p_value", "chance of as much without any effect", "probability"),
            _number("adjusted_p_value", "held over all themes and stages", "probability"),
            _number("shrunk", "drawn to what theme and stage have in common", "orders"),
            _number("shrunk_low", "95 % interval, from", "orders"),
            _number("shrunk_high", "95 % interval, to", "orders"),
            _integer("compared", "messages in tests of several themes", "messages"),
            _number("advantage", "orders beyond those of other themes there", "orders"),
            _number("advantage_low", "95 % interval, from", "orders"),
            _number("advantage_high", "95 % interval, to", "orders"),
            _number("advantage_p_value", "held over all themes and stages", "probability"),
            _flag("best", "of its stage, beyond chance", nullable=False),
        ),
    ),
    Table(
        "subgroup_effects",
        "measured",
        "a group declared before campaigns started, and whether messages change more there",
        ("subgroup",),
        (
            _text("subgroup", "as in campaigns.yaml", nullable=False),
            _text("rule", "who is in it", nullable=False),
            _text("expect", "orders caused, beside outside", nullable=False, allowed=EXPECTED),
            _date("declared_on", "when it was written down", nullable=False),
            _integer("campaigns", "read: each with one channel", "campaigns", nullable=False),
            _integer("late", "started before the declaration", "campaigns", nullable=False),
            _integer("small", "fewer than 10 in one of four cells", "campaigns", nullable=False),
            _integer("contacts", "messages inside", nullable=False),
            _integer("held_out", "held out inside", "contacts", nullable=False),
            _integer("contacts_outside", "messages outside", nullable=False),
            _integer("held_out_outside", "held out outside", "contacts", nullable=False),
            _number("effect", "orders that a message caused inside", "orders"),
            _number("low", "95 % interval, from", "orders"),
            _number("high", "95 % interval, to", "orders"),
            _number("outside", "orders that a message caused outside", "orders"),
            _number("outside_low", "95 % interval, from", "orders"),
            _number("outside_high", "95 % interval, to", "orders"),
            _number("difference", "inside less outside", "orders"),
            _number("difference_low", "95 % interval, from", "orders"),
            _number("difference_high", "95 % interval, to", "orders"),
            _number("p_value", "chance of as much without any difference", "probability"),
            _number("adjusted_p_value", "held over all that were declared", "probability"),
            _text("verdict", "what it says", nullable=False, allowed=SUBGROUP_VERDICTS),
            _text("reason", "why it is not read"),
        ),
    ),
    Table(
        "content_priorities",
        "measured",
        "a theme at a funnel stage, and how much it should be preferred",
        ("funnel_stage", "theme"),
        (
            _text("funnel_stage", "from unaware to leaving", nullable=False, allowed=FUNNEL),
            _text("theme", "what a message appeals to", nullable=False),
            _integer("place", "1: preferred", nullable=False),
            _number("priority", "orders a message beyond other themes, drawn together", "orders"),
            _number("low", "95 % interval, from", "orders"),
            _number("high", "95 % interval, to", "orders"),
            _flag("proven", "better beyond chance", nullable=False),
        ),
    ),
    Table(
        "representatives",
        "measured",
        "a sales representative",
        ("rep_id",),
        (
            _text("rep_id", "the representative", nullable=False),
            *(
                _integer(name, about)
                for name, about in (
                    ("visits", "visits made"),
                    ("met", "visits at which somebody was there"),
                    ("customers", "customers whose last visit was theirs"),
                    ("signed", "visits that ended in an order"),
                    ("ordered_after", "customers who ordered within two weeks of a visit"),
                )
            ),
            _number("margin_after", "margin of those orders; visits caused some of it", "currency"),
            _number("portfolio_value", "value of those customers", "currency"),
            _integer("at_risk", "of them, those on the retention list", "customers"),
            _number("expected_loss", "what they may take with them", "currency"),
            _integer("unseen", "customers not visited for half a year", "customers"),
            _number("order_share", "signed of met", "share"),
            _number("low", "95 % interval, from", "share"),
            _number("high", "95 % interval, to", "share"),
            _number("shrunk", "drawn to the team's", "share"),
            _integer("files", "records visited"),
            _number("filled", "fields of those files that hold a value", "share"),
            _integer("checked", "values that another system knows as well"),
            _number("right", "of those, the ones that agree", "share"),
            _number("right_low", "95 % interval, from", "share"),
            _number("score", "file qualification: right less wrong values", "0 to 100"),
            _number("claimed", "fields said to be completed, a file", "fields"),
            _number("repeated", "e-mails and numbers that stand in several files", "share"),
            _number("same_birth", "birth dates that stand in several files", "share"),
            _number("contradicted", "checked values that no other system agrees with", "share"),
            _number("known_before", "agreeing values that nobody wrote down later", "share"),
            _text("suspicious", "what is far from colleagues'"),
        ),
    ),
    Table(
        "representative_months",
        "measured",
        "a representative's month",
        ("rep_id", "month"),
        (
            _text("rep_id", "the representative", nullable=False),
            _date("month", "its first day", nullable=False),
            _integer("visits", "visits made", "visits"),
            _integer("met", "visits at which somebody was there", "visits"),
            _integer("signed", "visits that ended in an order", "visits"),
        ),
    ),
    Table(
        "representative_files",
        "measured",
        "a field of a representative's files",
        ("rep_id", "field"),
        (
            _text("rep_id", "the representative", nullable=False),
            _text("field", "what is written down", nullable=False),
            _number("filled", "files that hold it", "share"),
            _integer("checked", "values that another system knows as well", "values"),
            _number("right", "of those, the ones that agree", "share"),
        ),
    ),
    Table(
        "visits_to_make",
        "measured",
        "a customer that a representative should see",
        ("rep_id", "place"),
        (
            _text("rep_id", "the representative", nullable=False),
            _integer("place", "1: first", nullable=False),
            _CUSTOMER,
            _number("clv", "value", "currency"),
            _number("priority", "expected loss", "currency"),
            _date("visited_on", "last visit"),
            _text("why", "why"),
        ),
    ),
    Table(
        "lessons",
        "learned",
        "a thing that results teach",
        ("lesson",),
        (
            _text("lesson", "theme, picture, channel or offer, and for whom", nullable=False),
            _number("factor", "on the orders that a message adds", "ratio"),
            _number("low", "95 % interval, from", "ratio"),
            _number("high", "95 % interval, to", "ratio"),
            _integer("contacts", "learnt from", "contacts"),
        ),
    ),
    Table(
        "offer_priors",
        "learned",
        "a channel and an offer, and what results add to the response model",
        ("channel", "offer"),
        (
            _text("channel", "how", nullable=False),
            _text("offer", "code of the offer, or none", nullable=False),
            _number("factor", "on the orders that a message adds", "ratio"),
            _number("low", "95 % interval, from", "ratio"),
            _number("high", "95 % interval, to", "ratio"),
            _integer("contacts", "learnt from, of all channels and offers", "contacts"),
            _AS_OF,
        ),
    ),
    Table(
        "response_curves",
        "learned",
        "a channel and number of messages to a customer in four weeks",
        ("channel", "messages"),
        (
            _text("channel", "how", nullable=False),
            _integer(
                "messages", "messages to a customer in four weeks", "messages", nullable=False
            ),
            _number(
                "lasting",
                "share of the first message's effect that the last has",
                "share",
                **_PROBABILITY,
            ),
            _number("spend", "their cost, a customer", "currency"),
            _number("margin", "what they bring, a customer", "currency"),
            _number("low", "95 % interval, from", "currency"),
            _number("high", "95 % interval, to", "currency"),
            _number("next_return", "what the last of them earns, for a unit of cost", "ratio"),
            _number("next_return_low", "95 % interval, from", "ratio"),
            _number("next_return_high", "95 % interval, to", "ratio"),
        ),
    ),
    Table(
        "content_choices",
        "learned",
        "a customer, and what a message to it should show",
        ("customer_id",),
        (
            _CUSTOMER,
            _AS_OF,
            _text("theme", "what should appeal most"),
            _text("image", "the picture that goes with it"),
            _number("factor", "on the orders that a message adds", "ratio"),
        ),
    ),
    Table(
        "contact_changes",
        "learned",
        "a customer that results say not to contact by a channel any more",
        ("customer_id", "channel"),
        (
            _CUSTOMER,
            _text("channel", "how", nullable=False),
            _text("change", "no consent, or no working address", nullable=False),
            _date("since", "day of the last event that says so"),
            _text("reason", "what the tool wrote down"),
        ),
    ),
]

CONTRACTS: dict[str, Table] = {table.name: table for table in _ALL}


def personal_columns(names: Iterable[str]) -> list[str]:
    """Personal columns of the named tables, for tests that look for leaks."""
    return sorted({c for name in names for c in CONTRACTS[name].personal_columns})
