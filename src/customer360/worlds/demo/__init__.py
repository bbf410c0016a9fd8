"""A fictional French retailer of home, garden, culture and kids goods, with known truth.

`world` reads like the chain of causes: people and households (`people`) have habits
(`traits`), live through births and moves (`milestones`) and are written down, badly, by
several systems (`records`); week after week they buy, are disappointed, get messages and
leave (`life`, `purchases`, `experience`, `messages`, `reactions`); baskets are filled
(`baskets`); they browse (`web`), call and answer surveys (`service`), gather points
(`around`). `dirt` spoils a few rows; `truth` and `expectation` write down what is known
of them all. `laws` holds the parameters of behaviour, `docs/demo_world.md` the equations.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from customer360.worlds.arrived import Arrived
from customer360.worlds.demo.chunk import Chunk
from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.truth import add_campaigns
from customer360.worlds.demo.world import make_chunk, make_frame

__all__ = ["CHUNK_PEOPLE", "Laws", "make", "write"]

LEAST_PEOPLE = 100
# People made at once: memory follows this, not the size of the world.
CHUNK_PEOPLE = 25_000
WORLD_FOLDERS = {"raw", "truth"}


def make(
    *, people: int, seed: int, as_of: date, years: int = 3, laws: Laws | None = None
) -> Arrived:
    """Make the world in memory.

    Parameters
    ----------
    people : int
        True people, at least 100. Above some 100,000 prefer `write`.
    seed : int
        Same seed, same bytes.
    as_of : date
        Last day of the world, included.
    years : int
        Years of events up to that day. Records of people may be older.
    laws : Laws, optional
        Other parameters of behaviour.

    Returns
    -------
    Arrived
        Every raw table and every truth table, as Arrow.

    Raises
    ------
    ValueError
        For fewer people or years than a world can be made of.
    """
    tables: dict[str, list[pa.Table]] = {}
    truth: dict[str, list[pa.Table]] = {}
    for folder, name, table in _parts(people, seed, as_of, years, laws or Laws()):
        (tables if folder == "raw" else truth).setdefault(name, []).append(table)
    whole = {name: pa.concat_tables(parts).combine_chunks() for name, parts in tables.items()}
    known = {name: pa.concat_tables(parts).combine_chunks() for name, parts in truth.items()}
    return Arrived(tables=whole, truth=known)


def write(
    *,
    people: int,
    seed: int,
    as_of: date,
    out: Path,
    years: int = 3,
    laws: Laws | None = None,
    tell: Callable[[int], None] = lambda people: None,
) -> dict[str, int]:
    """Make the world chunk by chunk into `out/raw/*.parquet` and `out/truth/*.parquet`.

    The folder appears whole or not at all; an older world of that name is replaced.

    Parameters
    ----------
    people, seed, as_of, years, laws
        As for `make`.
    out : Path
        A folder that is not there yet, empty, or an older world.
    tell : callable
        Called with the number of people made so far.

    Raises
    ------
    ValueError
        As `make`, and where `out` holds anything else than a world.

    Returns
    -------
    dict
        Rows of each table.
    """
    if out.exists() and not (out.is_dir() and {p.name for p in out.iterdir()} <= WORLD_FOLDERS):
        raise ValueError(f"{out} holds other files: name a new folder")
    building = out.with_name(f".{out.name}.making")
    shutil.rmtree(building, ignore_errors=True)
    rows: dict[str, int] = {}
    try:
        with ExitStack() as open_files:
            writers: dict[tuple[str, str], pq.ParquetWriter] = {}
            for folder, name, table in _parts(people, seed, as_of, years, laws or Laws()):
                if (folder, name) not in writers:
                    path = building / folder / f"{name}.parquet"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    writers[folder, name] = open_files.enter_context(
                        pq.ParquetWriter(path, table.schema, compression="zstd")
                    )
                writers[folder, name].write_table(table)
                key = f"{folder}.{name}"
                rows[key] = rows.get(key, 0) + table.num_rows
                tell(rows.get("truth.people", 0))
        shutil.rmtree(out, ignore_errors=True)
        building.rename(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return rows


def _parts(
    people: int, seed: int, as_of: date, years: int, laws: Laws
) -> Iterator[tuple[str, str, pa.Table]]:
    """Folder, name and table, chunk after chunk."""
    if people < LEAST_PEOPLE or not 2 <= years <= 20:
        raise ValueError(
            f"a demo world needs at least {LEAST_PEOPLE} people and 2 to 20 years; "
            f"found people: {people}, years: {years}"
        )
    clock = make_clock(as_of=as_of, years=years, seasons=laws.seasons)
    frame = make_frame(clock=clock, laws=laws, seed=seed)
    for name, table in frame.tables.items():
        yield "raw", name, table
    count = max(1, round(people / CHUNK_PEOPLE))
    first, campaigns = 0, []
    for index in range(count):
        size = people * (index + 1) // count - first
        chunk = Chunk(index=index, count=count, first_person=first)
        tables, truth = make_chunk(people=size, seed=seed, frame=frame, chunk=chunk)
        campaigns.append(truth.pop("campaigns"))
        for name, table in tables.items():
            yield "raw", name, table
        for name, table in truth.items():
            yield "truth", name, table
        first += size
    yield "truth", "campaigns", add_campaigns(campaigns)
