"""The served file itself: what it answers, refuses and writes down."""

from __future__ import annotations

import importlib.util
import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from mlflow.exceptions import MlflowException
from test_decide import persons, responses

from customer360.planning.state import build_state

SERVED = Path(__file__).parents[3] / "serving" / "next_best_action.py"


@pytest.fixture
def service(tmp_path, monkeypatch):
    """The service of one customer, without a model of intent."""
    state = build_state(
        as_of=date(2026, 3, 31), customers=persons({"customer_id": "a"}), rules=(),
        response_scores=responses("a", percent_10=0.5),
    )  # fmt: skip
    state.save(tmp_path)
    (tmp_path / "intent.json").write_text("{}\n")
    monkeypatch.setenv("DECISION_LOG", str(tmp_path / "log" / "decisions.jsonl"))
    spec = importlib.util.spec_from_file_location("served", SERVED)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.NextBestAction()
    made.load_context(SimpleNamespace(artifacts={"state": tmp_path, "intent": tmp_path}))
    return made


def test_answers_and_writes_down_what_it_said(service, tmp_path):
    asked = {"customer_id": "a", "moment": "2026-04-01T10:30:00Z"}
    context = {"last_search": "a secret wish", "call_reason": "livraison"}
    answers = service.predict(
        None, [{**asked, "channel": "web"}, {**asked, "channel": "adviser", "context": context}]
    )
    assert [a["actions"][0]["offer"] for a in answers] == ["percent_10", "percent_10"]
    assert answers[0]["decision_id"] == answers[1]["decision_id"]
    text = (tmp_path / "log" / "decisions.jsonl").read_text(encoding="utf-8")
    written = [json.loads(line) for line in text.splitlines()]
    assert [w["decision_id"] for w in written] == [a["decision_id"] for a in answers]
    assert all(w["answered_in_ms"] >= 0 and w["customer_id"] == "a" for w in written)
    # What a person typed or told stays with it.
    assert "secret" not in text and "livraison" not in text


def test_a_bad_request_is_a_status_400_with_words(service):
    with pytest.raises(MlflowException, match="request 2: channel must be one of") as refused:
        service.predict(None, [{"visitor_id": "v", "channel": "web"}, {"visitor_id": "v"}])
    assert refused.value.get_http_status_code() == 400


def test_without_a_moment_it_is_now(service):
    answer = service.predict(None, [{"visitor_id": "v", "channel": "web"}])[0]
    assert answer["at"] > "2026-01-01" and answer["at"].endswith("Z")


def test_the_page_and_the_plan_obey_the_same_rules():
    params = yaml.safe_load((SERVED.parents[1] / "params.yaml").read_text(encoding="utf-8"))
    here, plan, response = (params[n] for n in ("next_best_action", "campaigns", "response"))
    assert here["contact_rules"] == plan["contact_rules"]
    assert here["retention_days"] == plan["retention_days"]
    assert here["least_uplift_orders"] == response["least_uplift_orders"]
