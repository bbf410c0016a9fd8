"""Who answers more than others, where it was said beforehand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.features.campaign_contacts import MOMENT_FEATURES
from customer360.measurement.subgroups import SubgroupError, subgroup_effects
from customer360.measurement_evaluation import subgroups_covered

EARLY = date(2025, 1, 1)
OFFERS = pd.DataFrame({"offer_id": ["O1", "O2"], "kind": ["percent", "gift"]})


def _group(where="reduced_share > 0.5", expect="more", declared_on=EARLY, **more):
    return {"where": where, "expect": expect, "declared_on": declared_on, **more}


def _campaigns(number=2, offers=("O1", None)):
    names = [f"K{n}" for n in range(number)]
    starts = pd.date_range("2025-03-01", periods=number, freq="14D")
    return pd.DataFrame(
        {"campaign_id": names, "variant": "A", "started_at": starts,
         "offer_id": [offers[n % len(offers)] for n in range(number)]}
    )  # fmt: skip


def _contacts(*, customers=4_000, campaigns=2, inside=0.0, outside=0.0, share=0.3, seed=0):
    """Contacts of several campaigns; a message adds so much to the chance of an order."""
    rng = np.random.default_rng(seed)
    told = _campaigns(campaigns)
    number = customers * campaigns
    place = np.repeat(np.arange(campaigns), customers)
    held = rng.random(number) < 0.2
    member = rng.random(number) < share
    earlier = rng.poisson(np.where(member, 3.0, 1.0))
    # Members order more, and later campaigns meet other habits.
    chance = 0.03 + 0.03 * member + 0.02 * place / campaigns
    chance = chance + np.where(member, inside, outside) * ~held
    table = pd.DataFrame(
        {"contact_id": [f"c{n:06d}" for n in range(number)],
         "customer_id": [f"p{n % customers:05d}" for n in range(number)],
         "campaign_id": told["campaign_id"].to_numpy()[place], "variant": "A",
         "channel": np.where(place % 2, "post", "email"),
         "contacted_on": told["started_at"].dt.date.to_numpy()[place],
         "sent": ~held, "held_out": held, "orders": rng.random(number) < chance,
         "orders_before": earlier}
    )  # fmt: skip
    table["orders"] = table["orders"].astype(int)
    moments = table[["customer_id", "contacted_on"]].rename(columns={"contacted_on": "day"})
    moments = moments.assign(**dict.fromkeys(MOMENT_FEATURES, 0.0))
    moments["reduced_share"] = np.where(member, 0.8, np.where(rng.random(number) < 0.5, 0.1, None))
    moments["reduced_share"] = moments["reduced_share"].astype(float)
    return table, moments


def _read(contacts, groups, *, campaigns=None, **more):
    table, moments = contacts
    told = _campaigns(table["campaign_id"].nunique()) if campaigns is None else campaigns
    return subgroup_effects(
        table, moments=moments, campaigns=told, offers=OFFERS, subgroups=groups, **more
    )


def test_a_true_difference_is_found_and_the_table_keeps_its_contract():
    contacts = _contacts(inside=0.12, outside=0.02)
    found = _read(contacts, {"fans": _group(), "others": _group("reduced_share = 0.1")})
    fans = found.iloc[0]
    assert fans["verdict"] == "as expected" and found.iloc[1]["verdict"] == "against expectation"
    assert fans["difference_low"] < 0.10 < fans["difference_high"]
    assert fans["low"] < 0.12 < fans["high"] and fans["outside_low"] < 0.02 < fans["outside_high"]
    assert fans["difference"] == pytest.approx(fans["effect"] - fans["outside"])
    assert fans["campaigns"] == 2 and fans["late"] == fans["small"] == 0
    cells = ["contacts", "held_out", "contacts_outside", "held_out_outside"]
    assert fans[cells].sum() == len(contacts[0])
    schema = arrow_schema(CONTRACTS["subgroup_effects"])
    assert found.columns.tolist() == schema.names


def test_two_campaigns_weigh_by_the_sizes_of_their_cells():
    def campaign(name, cells):
        """Cells inside sent, inside held out, outside sent, outside held out: size, orders."""
        parts = []
        for cell, (size, orders) in enumerate(cells):
            part = pd.DataFrame({"orders": np.arange(size) < orders})
            parts.append(part.assign(sent=cell % 2 == 0, member=cell < 2))
        return pd.concat(parts).assign(campaign_id=name)

    table = pd.concat(
        [campaign("K0", [(20, 10), (20, 5), (20, 5), (20, 5)]),
         campaign("K1", [(40, 10), (40, 10), (40, 20), (40, 10)])], ignore_index=True,
    )  # fmt: skip
    name = [f"p{n}" for n in range(len(table))]
    table = table.assign(
        contact_id=name, customer_id=name, variant="A", channel="email", held_out=~table["sent"],
        contacted_on=date(2025, 4, 1), orders=table["orders"].astype(int),
    )  # fmt: skip
    moments = pd.DataFrame({"customer_id": name, "day": date(2025, 4, 1)})
    moments = moments.assign(**dict.fromkeys(MOMENT_FEATURES, 0.0))
    moments["recency_days"] = np.where(table["member"], 400, 3)
    found = _read((table, moments), {"gone": _group("recency_days > 365")}, before=()).iloc[0]
    # 1/4 of 20 each beside 1/4 of 40 each: weights 1/3 and 2/3.
    assert found["effect"] == pytest.approx(0.25 / 3)
    assert found["outside"] == pytest.approx(0.25 * 2 / 3)


def _nothing(seed, *, customers=400, groups=16):
    """Two campaigns and groups drawn at random: a message does as much to all of them."""
    table, moments = _contacts(customers=customers, campaigns=2, seed=seed)
    rng = np.random.default_rng(seed + 1_000)
    names = list(MOMENT_FEATURES[:groups])
    members = rng.random((len(table), groups)) < 0.3
    # Some groups order more than others, as they always did.
    chance = 0.03 + 0.03 * members[:, :4].sum(axis=1) + 0.03 * table["sent"]
    table["orders"] = (rng.random(len(table)) < chance).astype(int)
    table["orders_before"] = rng.poisson(20 * chance)
    declared = {name: _group(f"{name} > 0") for name in names}
    return (table, moments.assign(**dict(zip(names, members.T * 1.0, strict=True)))), declared


def test_without_a_difference_few_reads_are_beyond_chance():
    tests = [_read(*_nothing(seed)) for seed in range(25)]
    reads = pd.concat(tests)
    assert len(reads) == 400 and reads["difference"].notna().all()
    beyond = (reads["p_value"] <= 0.05).mean()
    # 5 % of 400 reads, and what chance makes of it in 49 of 50 such simulations.
    assert 0.025 <= beyond <= 0.078
    covered = reads["difference_low"].le(0) & reads["difference_high"].ge(0)
    assert covered.mean() == pytest.approx(1 - beyond)
    # All sixteen together cry wolf no more often than one alone would.
    assert sum(test["verdict"].ne("not beyond chance").any() for test in tests) <= 4


def test_campaigns_that_had_started_are_refused():
    contacts = _contacts(customers=800)
    groups = {
        "first_day": _group(declared_on=date(2025, 3, 1)),
        "day_before": _group(declared_on=date(2025, 2, 28)),
        "too_late": _group(declared_on=date(2025, 12, 1)),
    }
    found = _read(contacts, groups).set_index("subgroup")
    assert found["late"].tolist() == [1, 0, 2] and found["campaigns"].tolist() == [1, 2, 0]
    assert found.loc["too_late", "verdict"] == "not read"
    assert "had started" in found.loc["too_late", "reason"]
    assert pd.isna(found.loc["too_late", "adjusted_p_value"])


def test_chance_is_held_over_all_that_were_declared():
    contacts = _contacts(customers=1_500, inside=0.12, seed=1)
    alone = _read(contacts, {"fans": _group()}).iloc[0]
    groups = {"fans": _group(), "late": _group(declared_on=date(2026, 1, 1)),
              "rest": _group("reduced_share is null")}  # fmt: skip
    together = _read(contacts, groups).iloc[0]
    assert together["adjusted_p_value"] == pytest.approx(3 * alone["p_value"])
    assert alone["adjusted_p_value"] == alone["p_value"] == together["p_value"]


def test_small_campaigns_are_not_read():
    found = _read(_contacts(customers=100, share=0.02), {"few": _group()}).iloc[0]
    assert found["verdict"] == "not read" and found["small"] == 2
    assert "fewer than 10" in found["reason"]
    table, moments = _contacts(customers=100)
    nobody = table.assign(sent=True, held_out=False)
    assert _read((nobody, moments), {"few": _group()}).iloc[0]["verdict"] == "not read"


def test_a_group_may_be_about_one_channel_or_offer():
    contacts = _contacts(customers=800)
    groups = {"post": _group(channel="post"), "percent": _group(offer=["percent", "amount"]),
              "none": _group(offer="none"), "gift": _group(offer="gift")}  # fmt: skip
    found = _read(contacts, groups).set_index("subgroup")
    assert found["campaigns"].tolist() == [1, 1, 1, 0]
    assert found.loc["percent", "contacts"] != found.loc["post", "contacts"]
    assert found.loc["none", "contacts"] == found.loc["post", "contacts"]
    assert "no campaign" in found.loc["gift", "reason"]


def test_those_held_out_stand_for_every_variant():
    table, moments = _contacts(customers=800, campaigns=1)
    table.loc[table.index[::2], "variant"] = "B"
    told = pd.concat([_campaigns(1), _campaigns(1).assign(variant="B", offer_id="O2")])
    found = _read((table, moments), {"gift": _group(offer="gift")}, campaigns=told).iloc[0]
    sent = table["sent"] & table["variant"].eq("B")
    assert found["contacts"] + found["contacts_outside"] == sent.sum()
    assert found["held_out"] + found["held_out_outside"] == table["held_out"].sum()


@pytest.mark.parametrize(
    ("where", "told"),
    [
        (
            "promo > 1",
            "campaigns.yaml, subgroup x: .*promo.*that can be used: orders_before",
        ),
        ("true) ; drop table moment; select (1", "one condition"),
        ("orders_before > (select 1 from read_csv('params.yaml'))", "subgroup x"),
        ("orders > 0", "Columns that can be used"),
    ],
)
def test_says_what_is_wrong_with_a_condition(where, told):
    with pytest.raises(SubgroupError, match=told):
        _read(_contacts(customers=100), {"x": _group(where)})


def test_nothing_declared_gives_no_row_and_inputs_stay():
    table, moments = _contacts(customers=100)
    kept = table.copy(), moments.copy()
    assert _read((table, moments), {}).empty
    _read((table, moments), {"fans": _group()})
    pd.testing.assert_frame_equal(table, kept[0])
    pd.testing.assert_frame_equal(moments, kept[1])


def test_without_contacts_nothing_is_read():
    table, moments = _contacts(customers=100)
    found = _read((table[:0], moments[:0]), {"fans": _group()}, campaigns=_campaigns()[:0])
    assert found["verdict"].tolist() == ["not read"] and found["contacts"].tolist() == [0]


def test_held_to_the_truth():
    table, moments = _contacts(inside=0.12, outside=0.02)
    inside = moments["reduced_share"] > 0.5
    true = table[["contact_id"]].assign(effect=np.where(inside, 0.12, 0.02))
    asked = {"moments": moments, "campaigns": _campaigns(), "offers": OFFERS}
    groups = {"fans": _group(), "late": _group(declared_on=date(2026, 1, 1))}
    found = subgroup_effects(table, subgroups=groups, **asked)
    more = {"outcomes": table, "true_contacts": true, "subgroups": groups, **asked}
    assert subgroups_covered(found, **more) == 1.0
    wrong = found.assign(difference_low=0.2, difference_high=0.3)
    assert subgroups_covered(wrong, **more) == 0.0
