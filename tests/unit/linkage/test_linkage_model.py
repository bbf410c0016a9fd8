from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.linkage.comparisons import Comparison, Level
from customer360.linkage.model import LinkageModel, check_trained, start, train
from customer360.linkage.records import LinkageError

LADDERS = [
    Comparison(
        "first_name",
        "first name",
        "personal",
        ("first_name",),
        (Level("same", "", 0.8, 0.005, 0.02), Level("different", "ELSE", 0.2)),
    ),
    Comparison(
        "birth_date",
        "birth date",
        "personal",
        ("birth_date",),
        (Level("same", "", 0.9, 5e-5, 0.02), Level("different", "ELSE", 0.1)),
    ),
    Comparison(
        "phone",
        "telephone",
        "shared",
        ("phone",),
        (Level("same", "", 0.65, 1e-6, 0.35), Level("different", "ELSE", 0.35, household=0.65)),
    ),
    Comparison(
        "address",
        "address",
        "shared",
        ("postcode",),
        (Level("same", "", 0.7, 1e-5, 0.85), Level("different", "ELSE", 0.3, household=0.15)),
    ),
]
RECORDS = 2000
ALL_PAIRS = RECORDS * (RECORDS - 1) / 2


def simulated(rng: np.random.Generator) -> pd.DataFrame:
    """Patterns of 1,500 pairs of one person, 800 of one home and many strangers."""
    shares = {
        "one": (1500, (0.9, 0.95, 0.7, 0.8)),
        "home": (800, (0.01, 0.01, 0.6, 0.9)),
        "strangers": (int(ALL_PAIRS) - 2300, (0.01, 1e-4, 1e-6, 1e-5)),
    }
    pairs = []
    for size, agree in shares.values():
        codes = {c.name: rng.random(size) < p for c, p in zip(LADDERS, agree, strict=True)}
        pairs.append(pd.DataFrame(codes).astype(int))
    table = pd.concat(pairs)
    counts = table.value_counts().rename("pairs").reset_index()
    return counts.assign(rarity_personal=0.0, rarity_shared=0.0)


@pytest.fixture(scope="module")
def trained() -> LinkageModel:
    patterns = simulated(np.random.default_rng(1))
    sampled = {
        "first_name": [0.99, 0.01],
        "birth_date": [0.999, 1e-3],
        "phone": [0.999, 1e-3],
        "address": [0.999, 1e-3],
    }
    model = start(LADDERS, sampled=sampled, pairs_sampled=1e6)
    filled = dict.fromkeys(sampled, RECORDS)
    return train(
        model,
        patterns,
        records=RECORDS,
        pairs_sampled=1e6,
        filled=filled,
        counted=[("phone", 1), ("address", 1)],
    )


def level(model: LinkageModel, name: str, value: int):
    return model.comparisons[name][value]


def test_the_shares_of_one_person_are_found_beside_a_household(trained):
    assert level(trained, "first_name", 1).m == pytest.approx(0.9, abs=0.03)
    assert level(trained, "birth_date", 1).m == pytest.approx(0.95, abs=0.03)
    assert level(trained, "phone", 1).m == pytest.approx(0.7, abs=0.04)
    assert level(trained, "phone", 1).household == pytest.approx(0.6, abs=0.05)
    assert trained.household * ALL_PAIRS == pytest.approx(800, rel=0.1)
    assert trained.one_person * ALL_PAIRS == pytest.approx(1500, rel=0.1)


def test_a_shared_home_does_not_make_two_people_one(trained):
    # Same telephone and address, other first name, other birth date.
    prior = np.log2(trained.one_person / trained.household)
    bits = (
        level(trained, "first_name", 0).household_weight
        + level(trained, "birth_date", 0).household_weight
        + level(trained, "phone", 1).household_weight
        + level(trained, "address", 1).household_weight
    )
    assert prior + bits < -5


def test_the_sample_of_strangers_is_cleared_of_matches(trained):
    # One pair in a thousand of the sample shares a birth date, nearly all of them matches.
    assert level(trained, "birth_date", 1).u < 5e-4
    assert level(trained, "phone", 1).u < 1e-5


def test_a_model_survives_its_dictionary(trained):
    again = LinkageModel.from_dict(trained.as_dict())
    assert again.as_dict() == trained.as_dict()
    check_trained(again)


def test_every_share_must_be_trained(trained):
    for share in ("m", "u", "household"):
        broken = LinkageModel.from_dict(trained.as_dict())
        setattr(broken.comparisons["phone"][1], share, None)
        with pytest.raises(LinkageError, match=f"'same' of telephone is untrained.*{share}"):
            check_trained(broken)


def test_a_level_that_nobody_shows_keeps_its_prior_with_a_note():
    patterns = pd.DataFrame(
        {"first_name": [1], "birth_date": [1], "phone": [1], "address": [1], "pairs": [5]}
    ).assign(rarity_personal=0.0, rarity_shared=0.0)
    sampled = {c.name: [1.0, None] for c in LADDERS}
    model = start(LADDERS, sampled=sampled, pairs_sampled=45)
    train(model, patterns, records=10, pairs_sampled=45, filled=dict.fromkeys(sampled, 10))
    check_trained(model)
    assert level(model, "phone", 0).m_from == "prior"
    assert level(model, "phone", 1).m_from == "data"
    assert any("hardly any match" in note for note in model.notes)
