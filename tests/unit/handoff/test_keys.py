from __future__ import annotations

import pytest

from customer360.handoff.keys import DEMO_KEY, derive_key, key_mark
from customer360.handoff.traps import HandoffError


def test_each_purpose_has_its_own_key_and_keeps_it():
    purposes = ["traps", "rental north", "rental south"]
    keys = {derive_key(DEMO_KEY, purpose=purpose) for purpose in purposes}
    assert len(keys | {DEMO_KEY}) == 4 and all(len(key) == 32 for key in keys)
    # Golden: another derivation would orphan every register and rental file out there.
    traps = derive_key(b"0123456789abcdef", purpose="traps").hex()
    assert traps == "cb6df84c636aef57b8117a4fea95711dbedecceaf6356d4291f0b3a4f1f21259"


def test_the_mark_tells_secrets_apart_and_nothing_else():
    assert key_mark(DEMO_KEY) == key_mark(DEMO_KEY) != key_mark(b"0123456789abcdef")
    assert len(key_mark(DEMO_KEY)) == 8 and key_mark(DEMO_KEY) not in DEMO_KEY.hex()


def test_a_short_secret_is_refused():
    with pytest.raises(HandoffError, match="5 bytes"):
        derive_key(b"short", purpose="traps")
