"""Numbers as people read them: 12 345, 12.3%, €4.26M."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

NARROW_SPACE = "\u202f"
MISSING = "–"

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}


def number(value: float | None, spec: str | None = None) -> str:
    """Write a number with thin-space thousands.

    Parameters
    ----------
    value : float or None
        None and NaN are written as a dash.
    spec : str, optional
        A format such as ``",.2f"`` or ``".1%"``, or a template such as ``"{:,.0f} days"``.
        Without one, the decimals that fit the size of the number.

    Returns
    -------
    str

    Examples
    --------
    >>> number(0.1234, ".1%")
    '12.3%'
    """
    if value is None or math.isnan(value):
        return MISSING
    spec = spec or fitting_spec([value])
    text = spec.format(value) if "{" in spec else format(value, spec)
    return thin_thousands(text)


def amount(value: float | None, currency: str = "") -> str:
    """Write an amount of money, large ones in millions: €850, €12 345, €4.26M.

    Parameters
    ----------
    value : float or None
        In `currency`.
    currency : str
        ISO 4217 code.

    Returns
    -------
    str
    """
    if value is None or math.isnan(value):
        return MISSING
    sign = "-" if value < 0 else ""
    symbol = _SYMBOLS.get(currency, f"{currency}{NARROW_SPACE}" if currency else "")
    size = abs(value)
    if size >= 1e9:
        return f"{sign}{symbol}{size / 1e9:.2f}bn"
    if size >= 1e6:
        return f"{sign}{symbol}{size / 1e6:.2f}M"
    return f"{sign}{symbol}{number(size, ',.0f' if size >= 100 else ',.2f')}"


def thin_thousands(text: str) -> str:
    """Put thin spaces where the numbers in a text have commas: 1,234 becomes 1 234."""
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", NARROW_SPACE, text)


def unbroken_days(html: str) -> str:
    """Mark the ISO dates in escaped text, so that the page breaks no line inside one."""
    return re.sub(r"(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])", r"<time>\g<0></time>", html)


def fitting_spec(values: Iterable[float | None]) -> str:
    """One format for a column of numbers: as few decimals as tell its values apart.

    Parameters
    ----------
    values : iterable of float or None

    Returns
    -------
    str
        A Python format specification.
    """
    finite = [v for v in values if v is not None and math.isfinite(v)]
    largest = max((abs(v) for v in finite), default=0.0)
    if largest >= 1000 or all(float(v).is_integer() for v in finite):
        return "z,.0f"
    if largest >= 10:
        return "z,.1f"
    return "z,.2f" if largest >= 0.1 else ".2g"
