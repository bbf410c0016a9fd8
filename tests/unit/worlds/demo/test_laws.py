"""The laws say what they are, and cannot be changed by accident."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from customer360.worlds.demo.laws import Laws


def test_every_law_has_a_meaning_a_unit_and_a_source():
    for law in fields(Laws):
        assert law.metadata["about"], law.name
        assert law.metadata["source"], law.name
        assert isinstance(law.metadata["unit"], str), law.name


def test_shares_are_shares_and_the_rest_is_not_negative():
    laws = Laws()
    for law in fields(Laws):
        value = getattr(laws, law.name)
        assert value >= 0, law.name
        if law.name.endswith("_share"):
            assert value <= 1, law.name


def test_laws_are_fixed_once_made():
    laws = Laws()
    with pytest.raises(FrozenInstanceError):
        laws.campaigns = 3  # type: ignore[misc]
    assert replace(laws, campaigns=3).campaigns == 3
    assert laws == Laws() != replace(laws, misfortune=0)
