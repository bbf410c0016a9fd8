from __future__ import annotations

import pandas as pd
import pytest

from customer360.handoff.traps import (
    HandoffError,
    TrapPoints,
    find_leak,
    keyed_hash,
    merge_registers,
    register_rows,
    trap_person,
)

KEY = b"0123456789abcdef"
POINTS = TrapPoints(
    email_domain="traps.example.com",
    street="1 rue du Port",
    postcode="44000",
    city="Nantes",
    phones=("+33240000001", "+33240000002"),
)


def person(campaign_id: str = "spring", file: str = "email.csv", key: bytes = KEY) -> dict:
    return trap_person(campaign_id=campaign_id, file=file, points=POINTS, key=key)


def rows(campaign_id: str = "spring", file: str = "email.csv") -> pd.DataFrame:
    made = person(campaign_id, file)
    values = {
        "id": made["customer_id"],
        "email": made["email"],
        "name": f"{made['first_name']} {made['last_name']}",
        "phone": "+33240000001",
    }
    return register_rows(campaign_id=campaign_id, file=file, values=values)


@pytest.fixture
def register() -> pd.DataFrame:
    return merge_registers(rows(), rows("spring", "sms.csv"))


def test_the_keyed_hash_is_that_of_rfc_4231():
    # Test case 2 of RFC 4231.
    assert keyed_hash("what do ya want for nothing?", key=b"Jefe") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_a_trap_is_the_same_in_every_run_and_never_that_of_another_file():
    assert person() == person()
    others = [
        person(file="sms.csv"),
        person(campaign_id="autumn"),
        person(key=b"another key of ours"),
        # No two pairs of campaign and file run together.
        person("springemail", ".csv"),
    ]
    for other in others:
        assert other["email"] != person()["email"]
        assert other["customer_id"] != person()["customer_id"]


def test_two_thousand_files_share_no_trap():
    made = [person(f"c{number}", "email.csv") for number in range(2_000)]
    assert len({one["email"] for one in made}) == len({one["customer_id"] for one in made}) == 2_000
    assert all(one["email"].isascii() for one in made)


def test_a_key_that_could_be_guessed_is_refused():
    with pytest.raises(HandoffError, match="16 or more"):
        person(key=b"short")


@pytest.mark.parametrize(
    "write",
    [
        lambda p: p["email"],
        lambda p: f"  {p['email'].upper()} ",
        lambda p: f"{p['first_name']} <{p['email']}>",
        lambda p: f"{p['first_name']} {p['last_name']}".upper(),
        lambda p: f"M. {p['first_name']} {p['last_name']}, 1 rue du Port, 44000 Nantes",
        lambda p: p["customer_id"],
    ],
)
def test_a_leak_is_named_however_the_address_is_written(register, write):
    assert find_leak(register, address=write(person())).values.tolist() == [["spring", "email.csv"]]
    assert find_leak(register, address=write(person(file="sms.csv"))).values.tolist() == [
        ["spring", "sms.csv"]
    ]


def test_a_telephone_that_two_files_share_names_both(register):
    found = find_leak(register, address="02 40 00 00 01")
    assert found["file"].tolist() == ["email.csv", "sms.csv"]


@pytest.mark.parametrize(
    "address", ["", "a", "camille@example.com", "traps.example.com", "Camille"]
)
def test_other_addresses_name_no_file(register, address):
    assert find_leak(register, address=address).empty


def test_a_campaign_that_is_made_again_leaves_the_register_as_it_was(register):
    pd.testing.assert_frame_equal(merge_registers(register, rows()), register)


def test_two_files_never_share_a_trap_in_the_register(register):
    copied = rows().assign(campaign_id="autumn")
    with pytest.raises(HandoffError, match="3 trap addresses would name two files"):
        merge_registers(register, copied)
