"""The look of every figure: frame in, Axes out, one style.

`use_style` is called once, in the import cell of a notebook. The font is the one that
matplotlib ships, so that a figure has the same pixels on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.rcsetup import cycler
from matplotlib.ticker import Formatter

__all__ = ["INK", "MUTED", "PALETTE", "money", "percent", "thousands", "use_style"]

#: Okabe and Ito (2008): told apart with every common colour-vision deficiency.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#5B6675")
#: For what is only context: baselines, "everybody else".
MUTED = "#B4BDC8"
#: Text and axes.
INK = "#26323F"

_GRID = "#E3E8ED"
_NARROW_SPACE = "\u202f"
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CHF": "CHF "}
_SCALES = ((1e9, "bn"), (1e6, "M"), (1e3, "k"))


def use_style() -> None:
    """Set the theme of all figures drawn from now on.

    Light horizontal grid, no frame, title on the left, colours of `PALETTE`.
    Calling it twice changes nothing.
    """
    matplotlib.rcParams.update(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": MUTED,
            "axes.formatter.limits": (-4, 9),
            "axes.formatter.useoffset": False,
            "axes.grid": True,
            "axes.grid.axis": "y",
            "axes.labelcolor": INK,
            "axes.labelpad": 8,
            "axes.labelsize": 12,
            "axes.linewidth": 1.25,
            "axes.prop_cycle": cycler(color=PALETTE),
            "axes.spines.left": False,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": INK,
            "axes.titlelocation": "left",
            "axes.titlepad": 14,
            "axes.titlesize": 14,
            "axes.titleweight": "bold",
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "figure.facecolor": "white",
            "figure.figsize": (7.6, 4.2),
            "figure.titlesize": 14,
            "figure.titleweight": "bold",
            "font.family": ["DejaVu Sans"],
            "font.size": 12,
            "grid.color": _GRID,
            "grid.linewidth": 1.0,
            "image.cmap": "cividis",
            "legend.fontsize": 11,
            "legend.frameon": False,
            "legend.title_fontsize": 11,
            "lines.linewidth": 2.2,
            "lines.solid_capstyle": "round",
            "patch.edgecolor": "white",
            "patch.force_edgecolor": True,
            "savefig.dpi": 200,
            # Otherwise matplotlib draws a new random id into every SVG.
            "svg.hashsalt": "customer360",
            "text.color": INK,
            "xtick.bottom": False,
            "xtick.color": INK,
            "xtick.labelsize": 11,
            "xtick.major.size": 6.0,
            "xtick.major.width": 1.25,
            "xtick.minor.size": 4.0,
            "xtick.minor.width": 1.0,
            "ytick.color": INK,
            "ytick.labelsize": 11,
            "ytick.left": False,
            "ytick.major.size": 6.0,
            "ytick.major.width": 1.25,
            "ytick.minor.size": 4.0,
            "ytick.minor.width": 1.0,
        }
    )


class _Figures(Formatter):
    """Tick labels with thin-space thousands; large amounts in k, M or bn.

    All labels of an axis share one unit and one number of decimals, the smallest that
    keeps them apart.
    """

    def __init__(
        self, *, prefix: str = "", suffix: str = "", factor: float = 1.0, compact: bool = False
    ) -> None:
        self.prefix = prefix
        self.suffix = suffix
        self.factor = factor
        self.compact = compact

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        largest = max((abs(value) for value in values), default=0.0)
        scale, unit = 1.0, self.suffix
        if self.compact and largest >= 10_000:
            scale, unit = next(pair for pair in _SCALES if largest >= pair[0])
        scaled = [value * self.factor / scale for value in values]
        # Ticks stand at round values, so the first count of decimals that tells the truth.
        decimals = next(
            (d for d in range(4) if all(abs(round(v, d) - v) < 1e-9 for v in scaled)), 4
        )
        return [self._label(value, decimals, unit) for value in scaled]

    def _label(self, value: float, decimals: int, unit: str) -> str:
        text = f"{abs(value):,.{decimals}f}".replace(",", _NARROW_SPACE)
        if not text.strip("0."):  # zero has neither sign nor scale
            return f"{self.prefix}0{self.suffix}"
        sign = "\N{MINUS SIGN}" if value < 0 else ""
        return f"{sign}{self.prefix}{text}{unit}"


def thousands(ax: Axes, axis: str = "y") -> Axes:
    """Write the ticks of an axis as counts: 12 500, not 12500 or 1.25e4.

    Parameters
    ----------
    ax : matplotlib Axes
    axis : {"x", "y"}

    Returns
    -------
    Axes
        The same Axes.
    """
    _axis(ax, axis).set_major_formatter(_Figures())
    return ax


def money(ax: Axes, axis: str = "y", currency: str = "EUR") -> Axes:
    """Write the ticks of an axis as amounts: €250, €12k, €1.5M.

    Parameters
    ----------
    ax : matplotlib Axes
    axis : {"x", "y"}
    currency : str
        ISO 4217 code; one without a known symbol is written in front as it is.

    Returns
    -------
    Axes
        The same Axes.
    """
    prefix = _SYMBOLS.get(currency, f"{currency} ")
    _axis(ax, axis).set_major_formatter(_Figures(prefix=prefix, compact=True))
    return ax


def percent(ax: Axes, axis: str = "y") -> Axes:
    """Write the ticks of an axis as percentages of shares: 0.25 becomes 25%.

    Parameters
    ----------
    ax : matplotlib Axes
    axis : {"x", "y"}

    Returns
    -------
    Axes
        The same Axes.
    """
    _axis(ax, axis).set_major_formatter(_Figures(factor=100.0, suffix="%"))
    return ax


def _axis(ax: Axes, axis: str) -> Axis:
    if axis not in ("x", "y"):
        raise ValueError(f"axis must be 'x' or 'y', not {axis!r}")
    return ax.xaxis if axis == "x" else ax.yaxis
