"""The pages of sales representatives: one each, and one of the team."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from customer360.report.numbers import amount, number
from customer360.report.page import environment
from customer360.report.prose import dataset_label, inline_html
from customer360.report.show import picture_bytes

if TYPE_CHECKING:
    # The command line reads this module and can do without pandas, and tables with it.
    import pandas as pd

__all__ = ["representative_pages"]

_TEAM = "index.html"
_ABOUT_SCORE = (
    "The score goes from 0 to 100: of the values that another system knows, those that stand in "
    "the file and agree, less those that do not, at the lower end of the interval. A wrong value "
    "costs what a right one wins; what is left empty, or what nobody can check, wins nothing."
)
_LIMITS = (
    "Nobody was left unvisited at random: how many orders the visits *caused* cannot be known.",
    "Another system may repeat the same old mistake; what no other system knows is not judged.",
    "A check that stands out is a reason to ask, not a proof: few values differ by chance alone.",
)
#: Column, what it is called, what it says; shares.
_CHECKS = (
    ("repeated", "one number in many files", "e-mails and numbers in several files"),
    ("same_birth", "one birth date in many files", "birth dates in several files"),
    ("contradicted", "contradicted by other systems", "checked values nobody agrees with"),
    ("known_before", "copies what was known before", "right values that others had before"),
)
_OVERSTATED = "says more than is there"


def representative_pages(
    team: pd.DataFrame,
    *,
    months: pd.DataFrame,
    fields: pd.DataFrame,
    to_visit: pd.DataFrame,
    draw_team: Callable[[pd.DataFrame], Any],
    draw_months: Callable[..., Any],
    dataset: str,
    currency: str,
    as_of: date,
) -> dict[str, bytes]:
    """Write a page per representative and one of the team, self-contained HTML.

    Parameters
    ----------
    team, months, fields, to_visit : pandas.DataFrame
        Contracts `representatives`, `representative_months`, `representative_files` and
        `visits_to_make`. Customers appear by their id only.
    draw_team, draw_months : callable
        `plots.measurement.representatives` (team) and `plots.measurement.months_beside_team`
        (months, rep_id=...): pages know no plots.
    dataset, currency : str
    as_of : date
        Last day known.

    Returns
    -------
    dict of str to bytes
        Content by file name: index.html, and one file per representative. The same tables
        always give the same bytes.
    """
    shared = {"dataset": dataset_label(dataset), "as_of": as_of.isoformat()}
    if team.empty:
        return {_TEAM: _page(_no_team(), **shared)}
    names = _file_names(team["rep_id"])
    pages = {_TEAM: _page(_team(team, names, draw_team, currency), **shared)}
    for row in team.sort_values("rep_id").to_dict("records"):
        mine = {
            name: table[table["rep_id"] == row["rep_id"]].drop(columns="rep_id")
            for name, table in (("fields", fields), ("to_visit", to_visit))
        }
        picture = picture_bytes(draw_months(months, rep_id=row["rep_id"]))
        content = _one({str(k): v for k, v in row.items()}, team, fields, picture, currency, **mine)
        pages[names[row["rep_id"]]] = _page(content, **shared)
    return pages


def _page(content: Mapping[str, Any], **shared: str) -> bytes:
    told = environment().get_template("representative.html").render(**shared, **content)
    return told.encode("utf-8")


def _file_names(reps: pd.Series) -> dict[str, str]:
    """A file each; an id may hold anything, a file's name letters and digits only."""
    plain = [re.sub(r"[^A-Za-z0-9-]+", "_", str(rep)) for rep in reps]
    clash = len({name.lower() for name in [*plain, "index"]}) <= len(plain)
    return {
        rep: f"{name}-{place}.html" if clash else f"{name}.html"
        for place, (rep, name) in enumerate(zip(reps, plain, strict=True), start=1)
    }


def _no_team() -> dict[str, Any]:
    return {
        "title": "Sales representatives",
        "about": "This dataset holds no visits of representatives.",
        "back": {"href": "../10_measurement.html", "label": "What did it earn?"},
        "tiles": [],
        "sections": [],
        "limits": [inline_html(text) for text in _LIMITS[:1]],
    }


def _section(heading: str = "", **parts: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "told": [],
        "picture": None,
        "alt": "",
        "caption": "",
        "table": "",
        "words": [],
    }
    return {"heading": heading, **empty, **parts}


def _team(
    team: pd.DataFrame, names: Mapping[str, str], draw: Callable[..., Any], currency: str
) -> dict[str, Any]:
    met, signed = team["met"].sum(), team["signed"].sum()
    odd = team[team["suspicious"].fillna("") != ""]
    apart = team[(team["low"] > signed / max(met, 1)) | (team["high"] < signed / max(met, 1))]
    told = (
        f"**{len(apart)}** of {len(team)} lie apart from the team's share of orders by more than "
        "their 95% intervals; of twenty who are all alike, one would."
    )
    checks = (
        f"The files of **{', '.join(odd['rep_id'])}** ask for a look."
        if len(odd)
        else "**No file asks for a second look**: nobody is far from colleagues in any check."
    )
    names_shown = {
        "rep_id": "representative",
        "met": "met",
        "order_share": "order_share",
        "portfolio_value": "portfolio",
        "at_risk": "may_leave",
        "score": "score",
        "suspicious": "to_look_at",
    }
    shown = team.sort_values("score", ascending=False)[list(names_shown)].rename(
        columns=names_shown
    )
    money = _money(currency)
    table = _table(
        shown.assign(to_look_at=shown["to_look_at"].fillna("")),
        caption="By file qualification",
        formats={"order_share": ".0%", "portfolio": money, "score": ",.0f"},
        max_rows=len(shown),
    )
    return {
        "title": "Sales representatives",
        "about": "What each brings in, whose files can be trusted, and who needs a visit.",
        "back": {"href": "../10_measurement.html", "label": "What did it earn?"},
        "tiles": [
            _tile("representatives", number(len(team), ",.0f")),
            _tile("of visits end in an order", number(signed / max(met, 1), ".0%"),
                  f"{number(signed, ',.0f')} of {number(met, ',.0f')} visits with somebody there"),
            _tile("customers may be leaving", number(team["at_risk"].sum(), ",.0f"),
                  f"{amount(team['expected_loss'].sum(), currency)} may go with them"),
            _tile("file qualification", number(team["score"].median(), ",.0f"), "median, of 100"),
        ],
        "sections": [
            _section(
                told=[inline_html(told)],
                picture=picture_bytes(draw(team)),
                alt="File qualification and orders of each representative",
            ),
            _section("Everybody", table=_linked(table, names), words=[_ABOUT_SCORE]),
            _section("Checks against gaming", told=[inline_html(checks)]),
        ],
        "limits": [inline_html(text) for text in _LIMITS],
    }  # fmt: skip


def _linked(made: Markup, names: Mapping[str, str]) -> Markup:
    """The name of each representative leads to its page."""
    table = str(made)
    for rep, file in names.items():
        cell = Markup('<th scope="row" style="text-align:left">{}</th>').format(rep)
        link = Markup('<th scope="row" style="text-align:left"><a href="{}">{}</a></th>')
        table = table.replace(str(cell), str(link.format(file, rep)))
    return Markup(table)


def _one(
    row: dict[str, Any],
    team: pd.DataFrame,
    all_fields: pd.DataFrame,
    picture: bytes,
    currency: str,
    *,
    fields: pd.DataFrame,
    to_visit: pd.DataFrame,
) -> dict[str, Any]:
    share = team["signed"].sum() / max(team["met"].sum(), 1)
    money = _money(currency)
    apart = row["low"] > share or row["high"] < share
    told = (
        f"**{row['order_share']:.0%}** of visits end in an order ({row['low']:.0%} to "
        f"{row['high']:.0%}): "
        + ("looked at alone, more than chance away" if apart else "no more than chance away")
        + f" from the team's {share:.0%}."
    )
    beside = all_fields.groupby("field").agg(team_filled=("filled", "mean"),
                                             team_right=("right", "mean"))  # fmt: skip
    filled = fields.merge(beside.reset_index(), on="field", how="left")
    filled["field"] = filled["field"].str.replace("_", " ")
    filled = filled[["field", "filled", "team_filled", "checked", "right", "team_right"]]
    return {
        "title": str(row["rep_id"]),
        "about": "Sales representative: results, portfolio, whom to visit, and files.",
        "back": {"href": _TEAM, "label": "The team"},
        "tiles": [
            _tile("of visits end in an order", number(row["order_share"], ".0%"),
                  f"{row['signed']} of {row['met']} visits with somebody there"),
            _tile("customers", number(row["customers"], ",.0f"),
                  f"worth {amount(row['portfolio_value'], currency)}; "
                  f"{row['unseen']} not seen for half a year"),
            _tile("may be leaving", number(row["at_risk"], ",.0f"),
                  f"{amount(row['expected_loss'], currency)} may go with them"),
            _tile("file qualification", number(row["score"], ",.0f"),
                  f"of 100; team {team['score'].median():.0f}"),
        ],
        "sections": [
            _section(
                "Results", told=[inline_html(told)], picture=picture,
                alt="Visits that ended in an order, by month, beside the team's",
                words=[
                    f"{row['ordered_after']} customers ordered within two weeks of a visit, with "
                    f"a margin of {amount(row['margin_after'], currency)}; the visits caused some."
                ],
            ),
            _section(
                "Customers to visit first",
                table=_table(
                    to_visit.rename(columns={"clv": "value", "priority": "expected_loss"}),
                    caption="Those who may be leaving go first, by what would be lost",
                    formats={"value": money, "expected_loss": money}, max_rows=10,
                ),
                words=[inline_html("`customer360 card ID` opens the page of one of them.")],
            ),
            _section(
                "Files",
                table=_table(
                    filled, caption="Filled in, and confirmed by another system",
                    formats=dict.fromkeys(["filled", "team_filled", "right", "team_right"], ".0%"),
                    max_rows=len(filled),
                ),
                words=[_ABOUT_SCORE],
            ),
            _section(
                "Checks against gaming",
                table=_table(
                    _checks(row, team), caption="What would raise a score without better files",
                    formats={}, max_rows=10,
                ),
            ),
        ],
        "limits": [inline_html(text) for text in _LIMITS],
    }  # fmt: skip


def _checks(row: Mapping[str, Any], team: pd.DataFrame) -> pd.DataFrame:
    """Each check: one's own figure, the team's median, and whether it is far from it."""
    suspicious = str(row["suspicious"] or "").split(", ")
    own = [
        (about, number(row[name], ".0%"), number(team[name].median(), ".0%"), sign in suspicious)
        for name, sign, about in _CHECKS
    ]
    claimed = (
        "fields said to be completed, a file",
        number(row["claimed"], ",.1f"),
        number(team["claimed"].median(), ",.1f"),
        _OVERSTATED in suspicious,
    )
    import pandas as pd

    table = pd.DataFrame([*own, claimed], columns=["check", "own", "team", "verdict"])
    return table.assign(verdict=table["verdict"].map({True: "look at it", False: "usual"}))


def _table(frame: pd.DataFrame, **how: Any) -> Markup:
    from customer360.report.tables import table_html

    return Markup(table_html(frame, **how))


def _tile(label: str, value: str, note: str = "") -> dict[str, str]:
    return {"label": label, "value": value, "note": note}


def _money(currency: str) -> Callable[[Any], str]:
    return lambda value: amount(float(value), currency)
