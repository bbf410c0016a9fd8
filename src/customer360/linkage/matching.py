"""Which records are the same person: Splink proposes pairs, `levels` compares, `model` weighs.

Splink 5 makes the candidate pairs. Its own training would take a household for one person, so
the shares are estimated by `model.train` on the patterns of agreement of these pairs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS
from customer360.linkage.blocking import Rule, choose_rules, write_blocks
from customer360.linkage.clusters import connected_components
from customer360.linkage.comparisons import Comparison, choose_comparisons
from customer360.linkage.engine_tables import as_arrow, working_connection
from customer360.linkage.levels import (
    has_rarity,
    levels_sql,
    rarities_sql,
    sample_shares,
    sides_sql,
)
from customer360.linkage.model import LevelShares, LinkageModel, check_trained, start, train
from customer360.linkage.pair_engines import DuckDBPairs, PairEngine, SparkPairs
from customer360.linkage.rarity import add_names_together, frequency_sql, own_records
from customer360.linkage.records import LinkageError, prepare_records
from customer360.linkage.rivals import RIVALS, by_fields_alone, find_rivals, learn_rivals

__all__ = ["Matches", "filled_columns", "match_people"]

# Pairs less probable by their fields are kept only where they speak against a link.
KEPT_PROBABILITY = 0.01
LIKELY = 0.5
SAMPLED_PAIRS = 2_000_000
PAIRS_PER_RECORD = 10
SMALLEST_BUDGET = 100_000
KEY_COLUMNS = ["source_l", "source_id_l", "source_r", "source_id_r"]


@dataclass(frozen=True)
class Matches:
    """Pairs of records that may be one person, and how that was found.

    Attributes
    ----------
    pairs : pandas.DataFrame
        Contract `link_pairs`, sorted by key: pairs at least 1 % probable by their fields,
        and less probable pairs whose records are linked through others.
    evidence : pandas.DataFrame
        The same rows: key, `prior`, one column of bits a comparison (`bits_<name>`),
        its level (`level_<name>`, -1 not known) and `bits_household`. The bits of a row
        add up to its match weight.
    model : dict
        Parameters, JSON-able (see `model.LinkageModel.as_dict`).
    blocking : pandas.DataFrame
        Rules counted: family, rule, pairs, large_blocks, used, why.
    notes : list of str
        What the data do not allow to tell, for the reader.
    threshold : float
        Probability from which a pair is a link.
    records : int
        Records compared.
    pairs_compared : int
    """

    pairs: pd.DataFrame
    evidence: pd.DataFrame
    model: dict[str, Any]
    blocking: pd.DataFrame
    notes: list[str] = field(default_factory=list)
    threshold: float = 1.0
    records: int = 0
    pairs_compared: int = 0


def match_people(
    people: Any,
    *,
    seed: int,
    false_merge_cost: float = 20.0,
    probability_threshold: float | None = None,
    max_pairs_budget: int | None = None,
    extra: Mapping[str, Literal["identifier", "place"]] | None = None,
    model: Mapping[str, Any] | None = None,
    names: Any | None = None,
    connection: Any | None = None,
    spark: Any | None = None,
) -> Matches:
    """Compare the records of people and say how probably each pair is one person.

    Parameters
    ----------
    people : frame or None
        Contract `staged.people`; any identifying column may be missing or empty.
    seed : int
        Of the sample of pairs; two runs give the same bytes.
    false_merge_cost : float
        What merging two people costs, one missed match costing 1. A pair is a link
        when its probability makes the expected cost lower: 20 gives 0.952.
    probability_threshold : float, optional
        Sets the threshold directly instead.
    max_pairs_budget : int, optional
        Most comparisons that blocking may propose; 10 a record by default, so that time
        grows with the records and not with their square.
    extra : mapping, optional
        Columns beyond the contract and what they are: "identifier" (a number that one
        person bears) or "place" (a part of the address).
    model : mapping, optional
        Parameters of an earlier run, used as they are instead of training.
    names : frame, optional
        Contract `compared_records` of an earlier run: how much first and family names go
        together, used as it is instead of learning it from these records.
    connection : duckdb.DuckDBPyConnection, optional
        Where to work, leaving working tables behind; an own one is opened and closed
        by default.
    spark : pyspark.sql.SparkSession, optional
        Where to compare the pairs instead, when one machine is outgrown.

    Returns
    -------
    Matches

    Raises
    ------
    LinkageError
        If the key columns are missing, or a level of the model is untrained.

    References
    ----------
    Fellegi & Sunter (1969), A theory for record linkage. Winkler (2000), frequency-based
    matching. Linacre et al. (2022), Splink.
    """
    if probability_threshold is None:
        if not false_merge_cost > 0:
            raise ValueError(
                "false_merge_cost must be more than 0: 20 means that merging two "
                "people is as bad as missing twenty matches"
            )
        probability_threshold = false_merge_cost / (false_merge_cost + 1.0)
    if not 0 < probability_threshold < 1:
        raise ValueError("probability_threshold must lie between 0 and 1")
    if people is None:
        return _no_matches(
            "no people table: each customer number of each system is a customer, and nobody can "
            "tell whether two of them are one person",
            threshold=probability_threshold,
        )
    if connection is not None:
        return _match(
            people,
            seed=seed,
            threshold=probability_threshold,
            budget=max_pairs_budget,
            extra=extra or {},
            given=model,
            names=names,
            connection=connection,
            spark=spark,
            cost=false_merge_cost,
        )
    with working_connection() as own:
        return _match(
            people,
            seed=seed,
            threshold=probability_threshold,
            budget=max_pairs_budget,
            extra=extra or {},
            given=model,
            names=names,
            connection=own,
            spark=spark,
            cost=false_merge_cost,
        )


def _match(
    people: Any,
    *,
    seed: int,
    threshold: float,
    budget: int | None,
    extra: Mapping[str, Literal["identifier", "place"]],
    given: Mapping[str, Any] | None,
    names: Any | None,
    connection: Any,
    spark: Any | None,
    cost: float,
) -> Matches:
    named = prepare_records(connection, people, extra=list(extra))
    if names is not None:
        connection.register("names_learned", as_arrow(names))
    own = own_records(connection)
    add_names_together(connection, own=own, learned=None if names is None else "names_learned")
    anywhere = own.anywhere if given is None else given.get("records_a_person", 1.0)
    comparisons, notes = choose_comparisons(connection, extra=extra)
    if named:
        notes.append(f"the e-mail spells the missing name of its owner {named:,} times")
    records = int(connection.execute("select count(*) from records").fetchall()[0][0])
    if records < 2:
        return _no_matches(
            f"the people table holds {records} record: there is nothing to link",
            threshold=threshold,
            records=records,
        )
    if not _identifies(comparisons):
        return _no_matches(
            "the people table holds nothing that identifies a person (no e-mail, no telephone, no "
            "name): each record is a customer, and nobody can tell whether two are one person",
            threshold=threshold,
            records=records,
        )
    filled = filled_columns(comparisons)
    rules, blocking, more = choose_rules(
        connection,
        columns=filled,
        max_pairs_budget=budget or max(PAIRS_PER_RECORD * records, SMALLEST_BUDGET),
        identifiers=[c for c, kind in extra.items() if kind == "identifier"],
    )
    notes += more
    if not rules or blocking.loc[blocking["used"], "pairs"].sum() == 0:
        return _no_matches(
            "no two records share anything: every record is a customer",
            threshold=threshold,
            records=records,
            blocking=blocking,
        )
    here = DuckDBPairs(connection)
    engine: PairEngine = here if spark is None else SparkPairs(connection, spark)
    frequencies = {
        column: frequency_sql(column, usual_share=share, records=str(records), own=anywhere)
        for column, share in _rarities(comparisons).items()
    }
    write_blocks(connection, rules, frequencies=frequencies)
    if given is None:
        sampled, pairs_sampled = sample_shares(
            connection, comparisons, max_pairs=SAMPLED_PAIRS, seed=seed
        )
        fitted = start(comparisons, sampled=sampled, pairs_sampled=pairs_sampled)
        fitted.records_a_person = anywhere
    else:
        fitted = LinkageModel.from_dict(given)
        _check_same_levels(fitted, comparisons)
        check_trained(fitted)
    _compare(engine, rules, levels=levels_sql(comparisons) + rarities_sql(fitted))
    if given is None:
        patterns = _count_patterns(engine, fitted)
        train(
            fitted,
            patterns,
            records=records,
            pairs_sampled=max(pairs_sampled, 1),
            filled=_count_filled(connection, comparisons),
            counted=_counted_levels(comparisons, rules),
        )
        check_trained(fitted)
        notes += fitted.notes
    _score(engine, by_fields_alone(fitted))
    # Who else fits can make a link of a pair that is none by its fields.
    engine.bring_back(least=KEPT_PROBABILITY, threshold=min(threshold, LIKELY))
    find_rivals(connection, at_least=KEPT_PROBABILITY)
    if given is None:
        learn_rivals(connection, fitted)
    _score(here, fitted)
    pairs, evidence = _keep(connection, fitted, records=records, threshold=threshold)
    pairs_compared = int(engine.fetch("select count(*) as n from scored")["n"][0])
    parameters = {
        **fitted.as_dict(),
        "threshold": threshold,
        "false_merge_cost": cost,
        "seed": seed,
        "records": records,
        "pairs_compared": pairs_compared,
        "blocking_rules": [rule.label for rule in rules],
    }
    return Matches(
        pairs=pairs,
        evidence=evidence,
        model=parameters,
        blocking=blocking,
        notes=notes,
        threshold=threshold,
        records=records,
        pairs_compared=pairs_compared,
    )


def _identifies(comparisons: Sequence[Comparison]) -> bool:
    names = {comparison.name for comparison in comparisons}
    return bool(names & {"email", "phone"}) or "last_name" in names


def filled_columns(comparisons: Sequence[Comparison]) -> set[str]:
    """Columns that the comparisons read, which blocking may use."""
    columns = {c for comparison in comparisons for c in comparison.columns}
    columns |= {c for comparison in comparisons for lv in comparison.levels for c in lv.needs}
    return columns | ({"email_name"} if "email" in columns else set())


def _count_filled(connection: Any, comparisons: Sequence[Comparison]) -> dict[str, int]:
    """Records that fill the columns of each comparison."""
    parts = [
        f"count(*) filter ({' and '.join(f'{c} is not null' for c in comparison.columns)})"
        for comparison in comparisons
    ]
    counts = connection.execute(f"select {', '.join(parts)} from records").fetchall()[0]
    return {c.name: int(n) for c, n in zip(comparisons, counts, strict=True)}


def _counted_levels(
    comparisons: Sequence[Comparison], rules: Sequence[Rule]
) -> list[tuple[str, int]]:
    """Levels of which a blocking rule proposes every pair."""
    return [
        (comparison.name, value)
        for comparison in comparisons
        for value, level in enumerate(reversed(comparison.levels))
        if level.counted_by and any(set(rule.parts) <= set(level.counted_by) for rule in rules)
    ]


def _no_matches(
    note: str, *, threshold: float, records: int = 0, blocking: pd.DataFrame | None = None
) -> Matches:
    empty = {name: pd.Series(dtype="str") for name in KEY_COLUMNS}
    numbers = {
        column.name: pd.Series(dtype=float)
        for column in CONTRACTS["link_pairs"].columns
        if column.name not in KEY_COLUMNS
    }
    if blocking is None:
        names = ["family", "rule", "pairs", "large_blocks", "used", "why"]
        blocking = pd.DataFrame({name: pd.Series(dtype=object) for name in names})
    return Matches(
        pairs=pd.DataFrame({**empty, **numbers}),
        evidence=pd.DataFrame(empty),
        model={"comparisons": [], "threshold": threshold, "records": records},
        blocking=blocking,
        notes=[note],
        threshold=threshold,
        records=records,
    )


@contextmanager
def _quiet_splink() -> Iterator[None]:
    """Splink tells a page a step; what matters is in the notes."""
    logger = logging.getLogger("splink")
    before = logger.level, logger.propagate
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    try:
        yield
    finally:
        logger.setLevel(before[0])
        logger.propagate = before[1]


def _rarities(comparisons: Sequence[Comparison]) -> dict[str, float]:
    """Columns whose rarity counts, and the share among strangers that is believed."""
    return {lv.rarity: lv.u for c in comparisons for lv in c.levels if lv.rarity}


def _check_same_levels(model: LinkageModel, comparisons: Sequence[Comparison]) -> None:
    for comparison in comparisons:
        labels = [level.label for level in reversed(comparison.levels)]
        if [level.label for level in model.comparisons.get(comparison.name, [])] != labels:
            raise LinkageError(
                f"the model given knows nothing of {comparison.about} as this people table holds "
                "it: train a new one (match_people without a model)"
            )
    for name in set(model.comparisons) - {c.name for c in comparisons} - {RIVALS}:
        del model.comparisons[name]


def _compare(engine: PairEngine, rules: Sequence[Rule], *, levels: str) -> None:
    """Write table `compared`: level and rarity of each comparison of each candidate pair."""
    # Splink takes a second to import: only those who link pay for it.
    from splink import Linker, SettingsCreator

    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        comparisons=[],
        blocking_rules_to_generate_predictions=[{"blocking_rule": rule.sql} for rule in rules],
        linker_uid="customer360",
    )
    with _quiet_splink():
        blocks = engine.api().register(engine.give("blocks"))
        linker = Linker(blocks, settings, log_level=None)
        pairs = linker.inference.compute_blocked_pairs_for_predict()
        columns = [column.unquote().name for column in blocks.columns]
        engine.make(
            "compared",
            f"""
            with sides as (
                select {sides_sql(columns)} from {pairs.physical_name}
                join {blocks.physical_name} l on l.record = join_key_l
                join {blocks.physical_name} r on r.record = join_key_r
            )
            select record_l, record_r, {levels} from sides
            """,
        )
        pairs.drop_table_from_database_and_remove_from_cache()


def _rarity_sql(model: LinkageModel, kind: str) -> str:
    terms = [
        f"rarity_{name}"
        for name, levels in model.comparisons.items()
        if model.kinds[name] == kind and has_rarity(levels)
    ]
    return " + ".join(terms) or "0.0"


def _count_patterns(engine: PairEngine, model: LinkageModel) -> pd.DataFrame:
    """Candidate pairs by pattern of agreement, rarity in whole bits."""
    codes = ", ".join(f"level_{name} as {name}" for name in model.comparisons)
    return engine.fetch(
        f"""
        select {codes},
               round({_rarity_sql(model, "personal")}) as rarity_personal,
               round({_rarity_sql(model, "shared")}) as rarity_shared,
               count(*) as pairs
        from compared group by all order by all
        """
    )


def _bits_sql(name: str, levels: Sequence[LevelShares], weight: str, *, rarity: bool) -> str:
    """Bits of one comparison: those of its level, and of how rare what agrees is."""
    values = ((level.value, getattr(level, weight)) for level in levels)
    rungs = " ".join(f"when {code} then {value!r}::double" for code, value in values)
    rare = f" + rarity_{name}" if rarity and has_rarity(levels) else ""
    return f"case level_{name} {rungs} else 0.0::double end{rare}"


def _prior(model: LinkageModel) -> float:
    return float(np.log2(model.one_person / (1 - model.one_person - model.household)))


def _score(engine: PairEngine, model: LinkageModel) -> None:
    """Write table `scored`: match weight and probability of every candidate pair."""
    ladders = model.comparisons.items()
    strangers = [_bits_sql(n, levels, "match_weight", rarity=True) for n, levels in ladders]
    home_sql = "1e9::double"
    if model.household > 0:
        prior_home = float(np.log2(model.one_person / model.household))
        home = [
            # In a household a rare family name is no surprise.
            _bits_sql(n, levels, "household_weight", rarity=model.kinds[n] == "personal")
            for n, levels in ladders
        ]
        home_sql = f"{prior_home!r}::double + {' + '.join(home)}"
    # Two alternatives to one person, strangers and household: their odds add up.
    engine.make(
        "scored",
        f"""
        with bits as (
            select record_l, record_r,
                   {_prior(model)!r}::double + {" + ".join(strangers)} as strangers,
                   {home_sql} as home
            from compared
        ),
        weighed as (
            select record_l, record_r,
                   least(strangers, home) - log2(1 + pow(2.0, -abs(strangers - home)))
                       as match_weight
            from bits
        )
        select *, 1 / (1 + pow(2.0, -match_weight)) as match_probability from weighed
        """,
    )


def _keep(
    connection: Any, model: LinkageModel, *, records: int, threshold: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs worth showing, and those that speak against a link made through others."""
    links = connection.execute(
        "select record_l, record_r from scored where match_probability >= ?", [threshold]
    ).fetchnumpy()
    # Records are numbered from 1.
    group = connected_components(
        records + 1, np.asarray(links["record_l"]), np.asarray(links["record_r"])
    )
    groups = pa.table({"record": np.arange(records + 1), "grp": group})
    connection.register("groups_given", groups)
    against = _bits_sql(RIVALS, model.comparisons[RIVALS], "match_weight", rarity=True)
    # Narrow rows: wide ones, with their keys, would be dear to sort.
    found = connection.sql(
        f"""
        select compared.*, match_weight, match_probability,
               1 / (1 + pow(2.0, {against} - match_weight)) as field_probability
        from scored join compared using (record_l, record_r)
        join groups_given l on l.record = record_l
        join groups_given r on r.record = record_r
        where level_{RIVALS} >= 0 or l.grp = r.grp
        order by record_l, record_r
        """
    ).fetchnumpy()
    connection.unregister("groups_given")
    keys = _keys_of_pairs(connection, found)
    told = {name: found[name] for name in CONTRACTS["link_pairs"].column_names if name in found}
    # Not by `assign`, which copies every column.
    pairs, evidence = (
        pd.DataFrame({**keys, **columns}, copy=False) for columns in (told, _bits(model, found))
    )
    return pairs, evidence


def _keys_of_pairs(connection: Any, pairs: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Source and source_id of both records of each pair, from their numbers."""
    keys = connection.sql(
        "select record, source, source_id from records order by record"
    ).to_arrow_table()
    numbers = keys["record"].to_numpy()
    ends = {
        f"{name}_{side}": keys[name].take(pa.array(place))
        for side in ("l", "r")
        for place in (np.searchsorted(numbers, pairs[f"record_{side}"]),)
        for name in ("source", "source_id")
    }
    return pa.table(ends).select(KEY_COLUMNS).to_pandas()


def _bits(model: LinkageModel, pairs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Columns of the evidence, from the levels of sorted pairs and their match weight."""
    columns: dict[str, Any] = {"prior": _prior(model)}
    total = columns["prior"]
    for name, levels in model.comparisons.items():
        found = pairs[f"level_{name}"]
        # What is not known, level -1, says nothing: the last place.
        weights = np.zeros(len(levels) + 1)
        weights[[level.value for level in levels]] = [level.match_weight for level in levels]
        bits = weights[found]
        if has_rarity(levels):
            bits = bits + pairs[f"rarity_{name}"]
        columns |= {f"level_{name}": found, f"bits_{name}": bits}
        total = total + bits
    return columns | {"bits_household": pairs["match_weight"] - total}
