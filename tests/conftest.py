"""Pipelines run once per test session; the tests look at what they left."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from messy import write_messy_excel
from project import copy_project, repro, run

from customer360 import tracking


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: at the end no worker waits for the other's pipeline."""
    items.sort(key=lambda item: item.path.stem != "test_pipeline")


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty tracking database, made once: making one takes seconds, copying one none."""
    root = tmp_path_factory.mktemp("mlflow")
    tracking.open_tracking(root=root)
    return root / tracking.DATABASE


def pytest_addoption(parser):
    parser.addoption("--report", default="reports", help="folder of the pages for tests/browser")
    parser.addoption("--keep-pages", help="folder for the pages of the pipelines run here")


def keep_pages(request, folder: Path) -> None:
    """Leave the pages of a pipeline where `make browser` can open them."""
    if kept := request.config.getoption("keep_pages"):
        name = folder.name.rstrip("0123456789")
        shutil.copytree(folder / "reports", Path(kept) / name, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def demo(request, tmp_path_factory):
    """The demo with 1,500 people, run by `dvc repro`."""
    # The exact optimum and the simulated year of many customers take longer than all the rest.
    few = {"exact_sample": "50", "simulated_customers": "200", "simulated_years": "2"}
    few["simulated_months"] = "2"
    folder = copy_project(tmp_path_factory.mktemp("demo"), dataset="demo", params=few)
    spec = folder / "datasets" / "demo.yaml"
    spec.write_text(spec.read_text().replace("people: 20000", "people: 1500"))
    assert "people: 1500" in spec.read_text()
    repro(folder)
    keep_pages(request, folder)
    return folder


@pytest.fixture(scope="session")
def cdnow(request, tmp_path_factory, migrated_database):
    """The 1/10 sample of CDNOW, as far as value: it has nothing but orders."""
    folder = copy_project(tmp_path_factory.mktemp("cdnow"), dataset="cdnow")
    shutil.copy(migrated_database, folder)
    spec = folder / "datasets" / "cdnow.yaml"
    spec.write_text(spec.read_text().replace("sample: false", "sample: true"))
    assert "sample: true" in spec.read_text()
    repro(folder, "clv")
    keep_pages(request, folder)
    return folder


@pytest.fixture(scope="session")
def complete_journey(request, tmp_path_factory, migrated_database):
    """A year of 2,469 households, as far as churn."""
    folder = copy_project(tmp_path_factory.mktemp("journey"), dataset="complete_journey")
    shutil.copy(migrated_database, folder)
    repro(folder, "churn")
    keep_pages(request, folder)
    return folder


@pytest.fixture(scope="session")
def own_files(request, tmp_path_factory, migrated_database):
    """Somebody's messy Excel, through new-dataset, check and the pipeline."""
    folder = copy_project(tmp_path_factory.mktemp("own"), dataset="shop")
    shutil.copy(migrated_database, folder)
    (folder / "data" / "incoming" / "shop").rmdir()
    excel = folder / "ventes 2025.xlsx"
    facts = write_messy_excel(excel)
    proposed = run(folder, "customer360", "new-dataset", "shop", excel.name)
    assert proposed.returncode == 0, proposed.stdout + proposed.stderr
    checked = run(folder, "customer360", "check", "shop")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    excel.unlink()
    repro(folder)
    keep_pages(request, folder)
    return folder, facts
