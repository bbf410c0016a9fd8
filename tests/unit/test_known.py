"""The commands about links, on a small project: accept-ids, unlink, explain-link."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from french_people import make_people
from typer.testing import CliRunner

from customer360.cleaning.people import standardise_people
from customer360.cli import app
from customer360.contracts import ContractError
from customer360.known import accept_ids, read_known
from customer360.linkage.clusters import link_records
from customer360.linkage.ids import keep_ids
from customer360.linkage.incremental import compared_records
from customer360.linkage.matching import match_people
from customer360.storage import Store


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("links")
    (root / "params.yaml").write_text("dataset: shop\n")
    people = standardise_people(make_people(150, seed=5)[0], country="FR")[0]
    matches = match_people(people, seed=7)
    linked, history = keep_ids(link_records(people, matches), as_of=date(2025, 6, 30))
    store = Store.open(root)
    store.write("staged.people", people)
    store.write("linked_records", linked)
    store.write("id_history", history)
    store.write("link_pairs", matches.pairs)
    store.write("compared_records", compared_records(people))
    store.write_json("data/linked/model.json", matches.model)
    store.write_json("data/raw/dataset.json", {"name": "shop"})
    store.close()
    return root


@pytest.fixture
def call(project, monkeypatch):
    monkeypatch.chdir(project)

    def run(*arguments: str) -> str:
        result = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            result.exception
        )
        return result.output

    return run


@pytest.fixture(scope="module")
def customer(project) -> pd.DataFrame:
    linked = pd.read_parquet(project / "data/linked/linked_records.parquet")
    sizes = linked.groupby("customer_id").size()
    return linked[linked["customer_id"] == sizes[sizes == 3].index[0]]


def test_accepted_ids_come_back_for_the_same_dataset_only(project, call):
    store = Store.open(project)
    assert read_known(store) is None
    assert "Remembered" in call("accept-ids")
    known = read_known(store)
    assert known.last_run == 1 and known.has_model
    assert known.linked.df().equals(store.read("linked_records").df())
    store.write_json("data/raw/dataset.json", {"name": "other"})
    assert read_known(store) is None
    store.write_json("data/raw/dataset.json", {"name": "shop"})
    store.close()


def test_nothing_to_accept(tmp_path):
    with pytest.raises(FileNotFoundError, match="make pipeline"):
        accept_ids(tmp_path)


def test_two_records_are_explained_and_values_masked(call, customer, project):
    one, two = (f"{r.source}:{r.source_id}" for r in customer.iloc[:2].itertuples())
    told = call("explain-link", one, two)
    assert "likely to be one person" in told and "Speaks for one person" in told
    assert f"both belong to customer {customer['customer_id'].iloc[0]}" in told
    people = pd.read_parquet(project / "data/staged/people.parquet").merge(customer.iloc[:2])
    names = people["last_name"].dropna().tolist()
    assert names and not [name for name in names if name in told]
    shown = call("explain-link", one, two, "--show-values")
    assert [name for name in names if name in shown]


def test_a_customer_is_explained_by_its_weakest_link(call, customer):
    told = call("explain-link", customer["customer_id"].iloc[0])
    assert "3 records" in told and "weakest link" in told and told.count("% likely (") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("explain-link", "crm:nobody", "web:nobody"), "has no record crm:nobody"),
        (("explain-link", "c000"), "no customer is called c000"),
        (("explain-link", "crm:1", "web"), "write SOURCE:SOURCE_ID"),
        (("explain-link", "crm:1", "crm:1"), "name two records"),
        (("unlink", "c000", "crm:1"), "no customer is called c000"),
        (("unlink", "c000", "crm"), "write SOURCE:SOURCE_ID"),
    ],
)
def test_what_cannot_be_told_says_what_to_do(call, arguments, words):
    told = " ".join(call(*arguments).split())
    assert "Stopped." in told and words in told


def test_unlink_adds_to_the_file_once(project, call, customer):
    record = f"{customer['source'].iloc[0]}:{customer['source_id'].iloc[0]}"
    for _ in range(2):
        assert "Remembered" in call("unlink", customer["customer_id"].iloc[0], record)
    rows = pd.read_csv(project / "data/raw/corrections.csv", dtype=str)
    assert len(rows) == 2 and set(rows["verdict"]) == {"different"}


def test_a_csv_of_a_spreadsheet_is_read(project):
    store = Store.open(project)
    path = project / "data/raw/labels.csv"
    path.write_text("\ufeffsource_l;source_id_l\ncrm;007\n", encoding="utf-8")
    assert store.read_csv("data/raw/labels.csv").to_numpy().tolist() == [["crm", "007"]]
    path.write_bytes(b"source_l\n\xff\xfe\n")
    with pytest.raises(ContractError, match=r"labels.csv cannot be read"):
        store.read_csv("data/raw/labels.csv")
    path.unlink()
    assert store.read_csv("data/raw/labels.csv") is None
    store.close()
    assert json.loads((project / "data/raw/dataset.json").read_text())["name"] == "shop"
