from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from customer360 import handover
from customer360.handoff.files import CampaignFiles
from customer360.handoff.traps import REGISTER, HandoffError
from customer360.handover import REGISTER_FILE, hand_over, models_behind, models_used
from customer360.storage import Store


def made(campaign: str, email: str) -> CampaignFiles:
    traps = pd.DataFrame([(campaign, "email.csv", "email", email)], columns=list(REGISTER))
    return CampaignFiles({"email.csv": b"x\n", "manifest.json": b"{}"}, traps)


@pytest.fixture
def store(tmp_path: Path):
    (tmp_path / "params.yaml").touch()
    opened = Store.open(tmp_path)
    yield opened
    opened.close()


def test_a_campaign_is_written_and_its_traps_join_the_older_ones(store):
    hand_over(store, made("spring", "a@traps.example"), folder="data/handoff/spring")
    path = hand_over(
        store, made("autumn", "b@traps.example"), folder="data/handoff/autumn", brief="<p>é</p>"
    )
    assert {p.name for p in path.iterdir()} == {"email.csv", "manifest.json", "brief.html"}
    assert (path / "brief.html").read_text(encoding="utf-8") == "<p>é</p>"
    before = (store.root / REGISTER_FILE).read_bytes()
    assert before.count(b"traps.example") == 2
    hand_over(store, made("autumn", "b@traps.example"), folder="data/handoff/autumn")
    assert (store.root / REGISTER_FILE).read_bytes() == before
    assert not (path / "brief.html").exists()


def test_nothing_leaves_when_a_trap_would_name_two_files(store):
    hand_over(store, made("spring", "a@traps.example"), folder="data/handoff/spring")
    with pytest.raises(HandoffError, match="two files"):
        hand_over(store, made("autumn", "a@traps.example"), folder="data/handoff/autumn")
    assert not (store.root / "data/handoff/autumn").exists()


def test_models_are_named_by_what_they_hold_and_found_in_the_registry(store, monkeypatch):
    store.write_json("data/raw/dataset.json", {"name": "shop"})
    for stage, text in (("churn", '{"trees": 1}'), ("response", "{}\n")):
        (store.folder(f"models/{stage}") / "model.json").write_text(text)
    used = models_used(store, stages=("churn", "response", "clv"))
    assert set(used) == {"churn"}, "one was never made, one had nothing to learn from"
    churn = used["churn"]
    assert churn["registered"] == "shop-churn" and churn["link"] == "#/models/shop-churn"
    assert churn["fingerprint"].startswith(churn["version"])
    manifest = store.root / "manifest.json"
    manifest.write_text(json.dumps({"models": used | {"old": "scores of a day"}}))
    monkeypatch.setattr(handover, "find_version", lambda **asked: asked)
    asked = {"root": store.root, "name": "shop-churn", "fingerprint": churn["fingerprint"]}
    assert models_behind(root=store.root, manifest=manifest) == {"churn": asked}
