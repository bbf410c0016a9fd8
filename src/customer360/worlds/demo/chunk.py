"""A large world is made in chunks of people; the chunk keeps their numbers apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["WHOLE", "Chunk"]


@dataclass(frozen=True)
class Chunk:
    """Part `index` of `count` of a world.

    Attributes
    ----------
    index, count : int
    first_person : int
        How many people the chunks before it hold.
    """

    index: int = 0
    count: int = 1
    first_person: int = 0

    def numbers(self, rank: np.ndarray) -> np.ndarray:
        """Number, from 1, of the thing of each rank (from 0), unlike any of another chunk.

        Ranks of all chunks are interleaved, so that numbers still rise with time.

        Examples
        --------
        >>> Chunk(index=1, count=4).numbers(np.array([0, 1]))
        array([2, 6])
        """
        return np.asarray(rank, dtype=np.int64) * self.count + self.index + 1


WHOLE = Chunk()
