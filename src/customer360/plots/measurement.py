"""Figures of 10: what contacts earned."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.contracts import FUNNEL
from customer360.plots.canvas import dated, heat_map, horizontal, legend_below, new_axes
from customer360.plots.style import INK, MUTED, PALETTE, money, percent, use_style

__all__ = [
    "campaign_effects",
    "factors",
    "months_beside_team",
    "rates",
    "representatives",
    "spend_curves",
    "subgroups",
    "theme_map",
    "use_style",
]

_FAINT = "#EEF1F4"


def rates(table: pd.DataFrame, *, rate: str, by: str = "channel") -> Axes:
    """A rate of each channel or campaign, with what chance leaves open.

    Parameters
    ----------
    table : pandas.DataFrame
        From `measurement.rates.contact_rates` by `by`.
    rate : str
        Which.
    by : str
    """
    data = table[table["rate"] == rate].sort_values("share")
    ax = new_axes(height=0.3 * len(data) + 1.5)
    span = np.maximum([data["share"] - data["low"], data["high"] - data["share"]], 0)
    ax.errorbar(data["share"], data[by], xerr=span, fmt="o", color=PALETTE[0], capsize=3)
    ax.set(title=f"{rate.capitalize()}, by {by.removesuffix('_id')}", xlim=(0, None))
    ax.margins(y=0.15)
    return percent(horizontal(ax), axis="x")


def campaign_effects(results: pd.DataFrame, *, currency: str, most: int = 20) -> Axes:
    """What the variants at both ends earned against those held out: the best on top.

    Parameters
    ----------
    results : pandas.DataFrame
        From `measurement.effects.campaign_results`.
    currency : str
    most : int
        Half of them the highest, half the lowest.
    """
    tested = results[results["tested"].astype(bool)]
    ranked = tested.sort_values(["incremental", "campaign_id", "variant"], ignore_index=True)
    beyond = max(len(ranked) - most, 0)
    data = ranked.drop(range(most // 2, most // 2 + beyond))
    shown = f"the {most // 2} highest and lowest of {len(ranked)} variants, " if beyond else ""
    names = data["campaign_id"] + " " + data["variant"].fillna("")
    sure = (data["incremental_low"] > 0) | (data["incremental_high"] < 0)
    place = np.arange(len(data))
    ax = new_axes(height=0.21 * len(data) + 1.4)
    ax.axvline(0, color=INK, linewidth=1)
    colours = np.where(sure, PALETTE[0], MUTED)
    ax.hlines(place, data["incremental_low"], data["incremental_high"], color=colours)
    ax.scatter(data["incremental"], place, color=colours, s=18, zorder=3)
    ax.set_yticks(place, names, fontsize=8)
    ax.set(
        title="Margin that campaigns caused (blue: beyond chance)",
        xlabel=f"{shown}with 95 % interval, cost not taken off",
        ylim=(-1, len(data)),
    )
    return money(horizontal(ax), currency=currency, axis="x")


def factors(effects: pd.DataFrame) -> Axes:
    """Effects of what was varied together.

    Parameters
    ----------
    effects : pandas.DataFrame
        From `measurement.factorial.factorial_effects`, with a column test.
    """
    data = effects.iloc[::-1].reset_index(drop=True)
    ax = new_axes(height=0.34 * len(data) + 1.3)
    ax.axvline(0, color=INK, linewidth=1)
    for number, (test, part) in enumerate(data.groupby("test", sort=True)):
        ax.hlines(part.index, part["low"], part["high"], color=PALETTE[number])
        ax.scatter(part["effect"], part.index, color=PALETTE[number], label=test, zorder=3)
    ax.set_yticks(data.index, data["term"])
    ax.set(title="What was varied, and what it changed", xlabel="orders a contact, 95 % interval")
    return legend_below(horizontal(ax))


def subgroups(effects: pd.DataFrame) -> Axes:
    """What messages caused inside each declared group, beside outside.

    Parameters
    ----------
    effects : pandas.DataFrame
        Contract `subgroup_effects`; groups that are not read are left out.
    """
    data = effects[effects["effect"].notna()].iloc[::-1].reset_index(drop=True)
    ax = new_axes(height=0.6 * len(data) + 1.5)
    ax.axvline(0, color=INK, linewidth=1)
    for colour, label, shift, ends in (
        (PALETTE[0], "inside the group", 0.12, ["effect", "low", "high"]),
        (MUTED, "outside, same campaigns", -0.12, ["outside", "outside_low", "outside_high"]),
    ):
        value, low, high = (1000 * data[name].astype(float) for name in ends)
        ax.hlines(data.index + shift, low, high, color=colour)
        ax.scatter(value, data.index + shift, color=colour, label=label, zorder=3)
    names = data["subgroup"].str.replace("_", " ") + "\n(expected: " + data["expect"] + ")"
    ax.set_yticks(data.index, names)
    ax.set(
        title="What messages changed, by declared group",
        xlabel="orders caused by 1,000 messages, 95 % interval",
        ylim=(-0.6, len(data) - 0.4),
    )
    return legend_below(horizontal(ax))


#: What a map of themes shows: columns of value, ends and p-value; title, how to read it.
_MAPS = {
    "effect": (
        ("shrunk", "shrunk_low", "shrunk_high", "adjusted_p_value"),
        "Orders caused by 1,000 messages",
        "grey: not beyond chance; 95 % interval, shrunk to theme and stage",
    ),
    "advantage": (
        ("advantage", "advantage_low", "advantage_high", "advantage_p_value"),
        "Orders of 1,000 messages beyond other themes'",
        "grey: not beyond chance; 95 % interval, where only the theme differed",
    ),
}


def theme_map(effects: pd.DataFrame, *, shows: str = "effect", most_p_value: float = 0.05) -> Axes:
    """Themes by funnel stage: what their messages caused; grey where chance explains it.

    Parameters
    ----------
    effects : pandas.DataFrame
        Contract `theme_effects`.
    shows : {"effect", "advantage"}
        Against those held out, or against other themes in the same tests.
    most_p_value : float
        Adjusted p-value up to which a cell is beyond chance.
    """
    (value, low, high, p_value), title, reading = _MAPS[shows]
    numbers = 1000 * effects[[value, low, high]].astype(float)
    told = [
        f"{a:+z.0f}\n({b:+z.0f} to {c:+z.0f})" if a == a else "not tested"
        for a, b, c in numbers.to_numpy()
    ]
    cells = effects[["funnel_stage", "theme"]].assign(
        shade=numbers[value].where(effects[p_value] <= most_p_value), told=told
    )
    wide = cells.pivot(index="funnel_stage", columns="theme")
    wide = wide.reindex([stage for stage in FUNNEL if stage in wide.index])
    wide.index = wide.index.str.replace("_", " ")
    shade, text = pd.DataFrame(wide["shade"]), wide["told"].fillna("not sent")
    ends = max(float(np.nanmax(np.abs(np.r_[shade.to_numpy(float).ravel(), 1.0]))), 1.0)
    ax = heat_map(
        shade, height=0.62 * len(wide) + 1.2, vmin=-ends, vmax=ends, annot=text, fmt="",
        annot_kws={"fontsize": 9},
    )  # fmt: skip
    import seaborn as sns  # late, as in `heat_map`

    sns.heatmap(
        shade.fillna(0.0), mask=shade.notna(), ax=ax, cmap=[_FAINT], cbar=False, annot=text,
        fmt="", linewidths=1, linecolor="white", annot_kws={"fontsize": 9, "color": INK},
    )  # fmt: skip
    ax.set(title=title, xlabel=reading, ylabel="")
    return ax


def spend_curves(curves: pd.DataFrame, *, currency: str) -> Axes:
    """What messages bring a customer, by what they cost.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `measurement.returns.response_curves`.
    currency : str
    """
    ax = new_axes()
    ax.axhline(0, color=INK, linewidth=1)
    for colour, (channel, part) in zip(PALETTE, curves.groupby("channel"), strict=False):
        ax.errorbar(
            part["messages"] + 0.04 * PALETTE.index(colour),
            part["margin"] - part["spend"],
            yerr=[part["margin"] - part["low"], part["high"] - part["margin"]],
            color=colour, label=channel, marker="o", capsize=2, linewidth=1.5,
        )  # fmt: skip
    ax.set(
        title="What messages earn a customer, cost taken off",
        xlabel="messages to a customer in four weeks",
        xticks=sorted(curves["messages"].unique()),
    )
    return legend_below(money(ax, currency=currency, axis="y"))


def representatives(table: pd.DataFrame) -> Axes:
    """File qualification of each representative, beside visits that ended in an order.

    Parameters
    ----------
    table : pandas.DataFrame
        Contract `representatives`.
    """
    data = table.sort_values("score")
    ax = new_axes(height=0.32 * len(data) + 1.4)
    ax.barh(data["rep_id"], data["score"], color=MUTED, label="file qualification (0 to 100)")
    ax.scatter(
        100 * data["shrunk"], data["rep_id"], color=PALETTE[0], zorder=3,
        label="visits ending in an order, of 100",
    )  # fmt: skip
    ax.set(title="Representatives: files and orders", xlim=(0, 100))
    return legend_below(horizontal(ax))


def months_beside_team(months: pd.DataFrame, *, rep_id: str) -> Axes:
    """Orders signed by a representative in each month, beside the team's mean.

    Parameters
    ----------
    months : pandas.DataFrame
        Contract `representative_months`.
    rep_id : str
    """
    wide = months.pivot(index="month", columns="rep_id", values="signed").fillna(0)
    days = pd.to_datetime(wide.index)
    ax = new_axes(height=3.4)
    ax.bar(days, wide[rep_id], width=24, color=PALETTE[4], label="own")
    ax.step(
        days, wide.mean(axis=1), where="mid", color=INK, linewidth=1.5,
        label="mean of the team",
    )  # fmt: skip
    ax.set(title="Visits that ended in an order, by month", ylim=(0, None))
    ax.locator_params(axis="y", integer=True)
    return legend_below(dated(ax))
