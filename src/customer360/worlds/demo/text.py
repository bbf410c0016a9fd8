"""Text by the column: picking from pools, joining, and the slips of the hand.

Everything works on whole Arrow columns; nothing loops over rows in Python.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "ascii_fold",
    "choose",
    "concat",
    "digits",
    "either",
    "keep",
    "misheard",
    "mistyped",
    "pick",
    "segment_positions",
]


def pick(pool: Sequence[str | None], index: np.ndarray) -> pa.StringArray:
    """Word of `pool` at each index; -1 gives an empty cell."""
    positions = pa.array(index, mask=np.asarray(index) < 0)
    return pa.array(pool, pa.string()).take(positions)


def concat(*parts: pa.StringArray | str) -> pa.StringArray:
    """Join columns and constants row by row; an empty part empties the whole."""
    return pc.binary_join_element_wise(*parts, "")


def digits(numbers: np.ndarray, width: int = 0) -> pa.StringArray:
    """Whole numbers as text, padded with zeros on the left."""
    text = pc.cast(pa.array(np.asarray(numbers, dtype=np.int64)), pa.string())
    return pc.utf8_lpad(text, width, "0") if width else text


def either(mask: np.ndarray, yes: pa.StringArray | str, no: pa.StringArray | str) -> pa.StringArray:
    """`yes` where the mask is true, else `no`."""
    return pc.if_else(pa.array(mask), yes, no)


def keep(values: pa.Array, mask: np.ndarray) -> pa.Array:
    """Empty the cells where the mask is false."""
    return pc.if_else(pa.array(mask), values, pa.scalar(None, values.type))


def ascii_fold(values: pa.StringArray) -> pa.StringArray:
    """Take accents away."""
    apart = pc.utf8_normalize(values, form="NFKD")
    return pc.replace_substring_regex(apart, r"\p{Mn}", "")


def choose(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one column per row of a matrix of weights (rows need not sum to one)."""
    cumulative = np.cumsum(weights, axis=1)
    drawn = rng.random(len(weights)) * cumulative[:, -1]
    return (drawn[:, None] >= cumulative[:, :-1]).sum(axis=1)


def segment_positions(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Owner and rank of each item when owner i has `counts[i]` items.

    Examples
    --------
    >>> segment_positions(np.array([2, 0, 1]))
    (array([0, 0, 2]), array([0, 1, 0]))
    """
    owner = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    return owner, np.arange(len(owner)) - first


def _replace_rows(
    values: pa.StringArray, rows: np.ndarray, new: Sequence[str] | np.ndarray
) -> pa.StringArray:
    mask = np.zeros(len(values), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(values, pa.array(mask), pa.array(new, pa.string()))


def _slips(rows_of: pa.StringArray, share: float, rng: np.random.Generator) -> np.ndarray:
    long_enough = pc.fill_null(pc.greater(pc.utf8_length(rows_of), 3), False)
    return np.flatnonzero(np.asarray(long_enough) & (rng.random(len(rows_of)) < share))


# Neighbours on a French keyboard.
_ROWS = ("azertyuiop", "qsdfghjklm", "wxcvbn")
_NEIGHBOUR = {
    letter: (row + row[-2:])[place + 1] for row in _ROWS for place, letter in enumerate(row)
}
_KEYBOARD = np.arange(0x250, dtype=np.uint32)
for _letter, _next in _NEIGHBOUR.items():
    _KEYBOARD[ord(_letter)] = ord(_next)
    _KEYBOARD[ord(_letter.upper())] = ord(_next.upper())


def mistyped(values: pa.StringArray, share: float, rng: np.random.Generator) -> pa.StringArray:
    """Make one slip of the hand in a share of the words of four letters and more.

    A neighbouring key, two letters swapped, one missed or one doubled, each as often;
    the first letter is never touched.
    """
    rows = _slips(values, share, rng)
    if not len(rows):
        return values
    words = np.array(values.take(pa.array(rows)).to_pylist(), dtype=np.str_)
    width = words.dtype.itemsize // 4 + 2
    letters = words.astype(f"U{width}").view(np.uint32).reshape(len(rows), width)
    length = np.char.str_len(words)
    place = 1 + (rng.random(len(rows)) * (length - 2)).astype(np.int64)
    kind = rng.integers(0, 4, len(rows))
    here = np.arange(len(rows))

    source = np.tile(np.arange(width), (len(rows), 1))
    swapped = kind == 1
    source[here[swapped], place[swapped]] += 1
    source[here[swapped], place[swapped] + 1] -= 1
    source += (kind == 2)[:, None] & (np.arange(width) >= place[:, None])
    source -= (kind == 3)[:, None] & (np.arange(width) > place[:, None])
    slipped = np.take_along_axis(letters, np.minimum(source, width - 1), axis=1)
    touched = kind == 0
    struck = slipped[here[touched], place[touched]]
    slipped[here[touched], place[touched]] = _KEYBOARD[np.minimum(struck, 0x24F)]
    new = np.ascontiguousarray(slipped).view(f"U{width}").ravel()
    return _replace_rows(values, rows, new.astype(object))


# What is written by someone who only heard the name.
_BY_EAR = (
    ("eau\\b", "o"), ("ault\\b", "o"), ("ph", "f"), ("th", "t"), ("y", "i"), ("ss", "c"),
    ("ll", "l"), ("nn", "n"), ("tt", "t"), ("rr", "r"), ("mm", "m"), ("é", "er"),
    ("ai", "é"), ("[stdx]\\b", ""), ("c([aou])", "k\\1"), ("g([ei])", "j\\1"), ("e\\b", ""),
)  # fmt: skip


def misheard(values: pa.StringArray, share: float, rng: np.random.Generator) -> pa.StringArray:
    """Write a share of the words as they sound; a word without a trap stays."""
    rows = _slips(values, share, rng)
    if not len(rows):
        return values
    spoken = values.take(pa.array(rows))
    written = spoken
    # Each word starts at its own rule and takes the first one that changes it.
    start = rng.integers(0, len(_BY_EAR), len(rows))
    untouched = np.ones(len(rows), dtype=bool)
    for turn in range(2 * len(_BY_EAR)):
        pattern, sound = _BY_EAR[turn % len(_BY_EAR)]
        heard = pc.replace_substring_regex(spoken, f"(?i){pattern}", sound, max_replacements=1)
        changed = untouched & (turn >= start) & np.asarray(pc.not_equal(heard, spoken))
        written = pc.if_else(pa.array(changed), heard, written)
        untouched &= ~changed
    return _replace_rows(values, rows, written)
