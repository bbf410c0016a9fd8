"""Real data and somebody's own files, from capture to report."""

from __future__ import annotations

import json

import pytest
from project import repro, run, stale_stages

from customer360.storage import Store


class TestCdnow:
    def test_runs_and_is_up_to_date(self, cdnow):
        done = {"capture", "cleaning", "linkage", "customers", "features", "churn", "clv"}
        assert not stale_stages(cdnow) & done

    def test_numbers_are_those_of_the_sample(self, cdnow):
        metrics = {p.stem: json.loads(p.read_text()) for p in (cdnow / "metrics").glob("*.json")}
        assert metrics["cleaning"]["orders_web_rows_in"] == 6919
        assert metrics["linkage"]["customers"] == 2357
        # Fader and Hardie's sample: 1,882 repeat transactions in weeks 40 to 78.
        assert metrics["clv"]["holdout_transactions_actual"] == pytest.approx(1882, abs=1)
        assert metrics["churn"]["average_precision"] > metrics["churn"]["base_rate"]

    def test_says_what_it_cannot_tell(self, cdnow):
        linkage = (cdnow / "reports" / "02_linkage.html").read_text()
        cleaning = (cdnow / "reports" / "01_cleaning.html").read_text()
        assert "precision and recall cannot be given" in linkage
        assert "No source describes people" in cleaning


class TestCompleteJourney:
    def test_churn_beats_both_baselines_and_can_be_trusted(self, complete_journey):
        churn = json.loads((complete_journey / "metrics" / "churn.json").read_text())
        assert churn["average_precision"] > churn["recency_average_precision"]
        assert churn["average_precision"] > churn["palive_average_precision"]
        assert churn["calibration_error"] <= 0.03

    def test_every_line_is_there(self, complete_journey):
        cleaning = json.loads((complete_journey / "metrics" / "cleaning.json").read_text())
        assert cleaning["orders_loyalty_card_rows_kept"] == 1_469_307
        assert cleaning["amount_kept"] == cleaning["amount_in"]


class TestOwnFiles:
    def test_every_row_is_accounted_for(self, own_files):
        folder, facts = own_files
        metrics = json.loads((folder / "metrics" / "cleaning.json").read_text())
        store = Store.open(folder)
        assert store.count("staged.orders") == facts.good
        store.close()
        total = sum(v for k, v in metrics.items() if k.startswith("orders_") and k.endswith("_in"))
        assert total == facts.rows
        assert metrics["amount_kept"] == pytest.approx(facts.amount, abs=0.01)

    def test_ends_with_scores_for_everyone(self, own_files):
        folder, _ = own_files
        store = Store.open(folder)
        buyers = store.read("purchase_days").aggregate("count(DISTINCT customer_id)").fetchall()
        assert store.count("clv_scores") == store.count("segments") == buyers[0][0] > 0
        store.close()

    def test_only_capture_is_stale_when_a_file_changes(self, own_files):
        folder, _ = own_files
        path = next((folder / "data" / "incoming" / "shop").glob("*.xlsx"))
        before = path.read_bytes()
        try:
            path.write_bytes(before + b"\0")
            assert stale_stages(folder) == {"capture"}
        finally:
            path.write_bytes(before)

    def test_only_capture_is_stale_when_the_mapping_changes(self, own_files):
        folder, _ = own_files
        path = folder / "datasets" / "shop.yaml"
        before = path.read_text()
        try:
            path.write_text(before + "\n# looked at\n")
            assert stale_stages(folder) == {"capture"}
            # The files say the same: the tables are the same, and nothing else runs again.
            repro(folder)
            assert stale_stages(folder) == set()
        finally:
            path.write_text(before)

    def test_an_unknown_dataset_is_named(self, own_files):
        folder, _ = own_files
        done = run(folder, "customer360", "check", "nothing")
        assert done.returncode == 1
        assert "Traceback" not in done.stdout + done.stderr
        assert "datasets/nothing.yaml" in done.stdout and "shop" in done.stdout
