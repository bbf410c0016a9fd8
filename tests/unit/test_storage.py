from __future__ import annotations

import itertools
import json
import traceback
from datetime import date, datetime
from pathlib import Path

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from customer360 import storage
from customer360.contracts import CONTRACTS, ContractError, empty_table
from customer360.periods import Calendar, Snapshots
from customer360.storage import Store, find_root, write_folder, write_text


@pytest.fixture
def store(tmp_path: Path):
    (tmp_path / "params.yaml").write_text("dataset: shop\n")
    opened = Store.open(tmp_path)
    yield opened
    opened.close()


def purchase_days(customers: list[str], *, margin: object = 1.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": customers,
            "day": date(2025, 1, 1),
            "orders": 1,
            "net_amount": 2.0,
            "margin": margin,
        }
    )


def files(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}


# --- secrets ---


def named(store: Store, name: str) -> None:
    store.write_json("data/raw/dataset.json", {"name": name})


def test_a_secret_is_made_once_for_its_owner_only(store):
    named(store, "shop")
    first = store.secret("handoff", demo=b"known to all")
    path = store.root / "secrets" / "handoff.key"
    assert len(first) == 32 and path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert store.secret("handoff") == first != store.secret("other")
    assert list(path.parent.glob(".*")) == []


def test_the_demo_uses_a_known_secret_and_leaves_no_file(store):
    named(store, "demo")
    assert store.secret("handoff", demo=b"known to all") == b"known to all"
    assert not (store.root / "secrets").exists()


@pytest.mark.parametrize("text", ["", "abcd", "zz" * 32, "é" * 32])
def test_a_file_without_a_secret_is_refused_and_not_repeated(store, text):
    named(store, "shop")
    store.secret("handoff")
    path = store.root / "secrets" / "handoff.key"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="bring it back") as caught:
        store.secret("handoff")
    assert not text or text not in str(caught.value)
    assert path.read_text(encoding="utf-8") == text


def test_a_secret_that_others_can_read_is_refused(store):
    named(store, "shop")
    store.secret("handoff")
    (store.root / "secrets" / "handoff.key").chmod(0o640)
    with pytest.raises(PermissionError, match="chmod 600"):
        store.secret("handoff")


# --- the project folder ---


def test_the_root_is_the_nearest_folder_with_params(tmp_path: Path):
    (tmp_path / "params.yaml").touch()
    inside = tmp_path / "notebooks" / "deep"
    inside.mkdir(parents=True)
    assert find_root(inside) == tmp_path


def test_outside_a_project_the_remedy_is_told(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"params\.yaml.*inside the project"):
        find_root(tmp_path)


# --- whole or not at all ---


def test_a_text_that_fails_half_way_leaves_the_old_one(tmp_path: Path, monkeypatch):
    target = tmp_path / "page.html"
    write_text(target, "old\n")

    def fail(self: Path, *_: object, **__: object) -> None:
        with self.open("w") as file:
            file.write("ha")
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text(target, "new\n")
    assert target.read_bytes() == b"old\n"
    assert files(tmp_path) == {"page.html"}


def test_lines_end_alike_on_every_system(tmp_path: Path):
    write_text(tmp_path / "new" / "a.txt", "é\nb\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "é\nb\n".encode()


def test_a_table_that_fails_half_way_leaves_the_old_one(store: Store, monkeypatch):
    store.write("purchase_days", purchase_days(["a"]))
    before = store.path("purchase_days").read_bytes()
    known = files(store.root)
    seen = []

    def fail_on_the_second(table, batch) -> None:
        seen.append(batch.num_rows)
        if len(seen) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(storage, "BATCH_ROWS", 2048)
    monkeypatch.setattr(storage, "validate_batch", fail_on_the_second)
    with pytest.raises(KeyboardInterrupt):
        store.write("purchase_days", purchase_days([f"{i:05d}" for i in range(6000)]))
    assert store.path("purchase_days").read_bytes() == before
    assert files(store.root) == known


@pytest.mark.parametrize(
    "bad",
    [
        purchase_days(["a", "a"]),
        purchase_days(["a"]).assign(colour="red"),
        purchase_days(["a"]).drop(columns="margin"),
        purchase_days(["a", None]),
        purchase_days(["a"], margin="much"),
    ],
)
def test_a_refused_table_leaves_the_old_one(store: Store, bad: pd.DataFrame):
    store.write("purchase_days", purchase_days(["a"]))
    before = store.path("purchase_days").read_bytes()
    with pytest.raises(ContractError, match="table purchase_days"):
        store.write("purchase_days", bad)
    assert store.path("purchase_days").read_bytes() == before
    assert files(store.root) == {"params.yaml", "data/features/purchase_days.parquet"}


# --- messages ---


def told(store: Store, name: str, frame: object) -> str:
    with pytest.raises(ContractError) as caught:
        store.write(name, frame)
    return "".join(traceback.format_exception(caught.value))


def test_duplicates_are_counted_and_the_key_named(store: Store):
    message = told(store, "purchase_days", purchase_days(["a", "a", "a", "b", "b", "c"]))
    assert "5 rows share 2 keys (customer_id, day)" in message
    assert "a row must be a day on which a customer bought" in message


def test_unknown_and_missing_columns_are_named(store: Store):
    assert "has no column colour" in told(
        store, "purchase_days", purchase_days(["a"]).assign(colour="red")
    )
    assert "column orders, net_amount is missing" in told(
        store, "purchase_days", purchase_days(["a"]).drop(columns=["orders", "net_amount"])
    )


def test_a_value_of_another_type_names_column_and_rows(store: Store):
    message = told(store, "purchase_days", purchase_days(["a", "b"], margin=["1.5", "much"]))
    assert "column margin must be a number: 1 of 2 rows are not" in message


@pytest.mark.parametrize("bad", [{"birth_date": "13/13/1980"}, {"birth_date": "Marie Curie"}])
def test_a_personal_value_is_never_quoted(store: Store, bad: dict[str, str]):
    message = told(store, "raw.people", pd.DataFrame([{"source": "crm", "source_id": "1", **bad}]))
    assert "table raw.people, column birth_date must be a date: 1 of 1 rows" in message
    assert bad["birth_date"] not in message


def test_a_broken_code_names_rule_and_rows(store: Store):
    orders = pd.DataFrame({"order_id": ["1"], "line_no": ["1"], "amount": [1.0]})
    orders = orders.assign(ordered_at=datetime(2025, 1, 1), status="stolen")
    message = told(store, "raw.orders", orders)
    assert "table raw.orders, column status must be one of paid, returned, unpaid" in message
    assert "1 of 1 rows do not (for example stolen)" in message


def test_an_unknown_table_is_named(store: Store):
    for action in (store.read, store.path, lambda name: store.write(name, pd.DataFrame())):
        with pytest.raises(ContractError, match="no table is called 'sales'"):
            action("sales")


def test_a_table_that_is_not_there_says_what_to_run(store: Store):
    with pytest.raises(FileNotFoundError, match=r"data/features/features\.parquet .*make pipeline"):
        store.read("features")
    with pytest.raises(FileNotFoundError, match=r"data/raw/dataset\.json .*make pipeline"):
        store.dataset()


# --- what is stored ---


def test_types_order_and_rounding(store: Store):
    frame = pd.DataFrame(
        {
            "margin": [0.1 + 0.2, 1 / 3],
            "net_amount": [1, 2],
            "orders": [1.0, 2.0],
            "day": ["2025-01-02", "2025-01-01"],
            "customer_id": ["b", "a"],
        }
    )
    assert store.write("purchase_days", frame) == 2
    stored = pq.read_table(store.path("purchase_days"))
    assert stored.to_pylist() == [
        {
            "customer_id": "a",
            "day": date(2025, 1, 1),
            "orders": 2,
            "net_amount": 2.0,
            "margin": 0.33333333,
        },
        {
            "customer_id": "b",
            "day": date(2025, 1, 2),
            "orders": 1,
            "net_amount": 1.0,
            "margin": 0.3,
        },
    ]
    assert store.count("purchase_days") == 2


def test_nan_is_stored_as_empty_whatever_the_engine(store: Store):
    frame = purchase_days(["a", "b"], margin=[np.nan, 1.0])
    arrow = pa.table({c: pa.array(frame[c], from_pandas=False) for c in frame})
    for given in (frame, arrow, store.connection.from_arrow(arrow)):
        store.write("purchase_days", given)
        assert pq.read_table(store.path("purchase_days"))["margin"].to_pylist() == [None, 1.0]


def test_every_kind_of_frame_gives_the_same_bytes(store: Store):
    frame = purchase_days(["b", "a"])
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    given = [frame, frame.iloc[::-1], arrow, arrow.to_reader(), nw.from_native(frame)]
    given += [store.connection.from_arrow(arrow), nw.from_native(frame, eager_only=True)]
    written = set()
    for one in given:
        store.write("purchase_days", one)
        written.add(store.path("purchase_days").read_bytes())
    assert len(written) == 1


def test_rows_that_share_a_key_are_stored_in_one_order(store: Store):
    lines = pd.DataFrame(
        {
            "source": ["till", "till", "till", None],
            "order_id": "1",
            "line_no": "1",
            "ordered_at": datetime(2025, 1, 1),
            "amount": [3.0, 1.0, 2.0, 0.0],
        }
    )
    written = set()
    for order in itertools.permutations(range(4)):
        assert store.write("raw.orders", lines.iloc[list(order)]) == 4
        written.add(store.path("raw.orders").read_bytes())
    assert len(written) == 1


def test_events_without_a_key_are_stored_in_one_order(store: Store):
    rng = np.random.default_rng(1)
    events = pd.DataFrame(
        {
            "source": "crm",
            "source_id": rng.integers(0, 50, 5000).astype(str),
            "at": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 99, 5000), unit="h"),
            "kind": rng.choice(["csat", "nps"], 5000),
            "score": rng.random(5000),
        }
    )
    written = set()
    for seed in range(3):
        store.write("raw.surveys", events.sample(frac=1.0, random_state=seed))
        written.add(store.path("raw.surveys").read_bytes())
    assert len(written) == 1


def test_columns_a_source_does_not_have_are_added_empty_to_raw_tables(store: Store):
    store.write("raw.people", pd.DataFrame({"source": ["crm"], "source_id": ["1"]}))
    stored = pq.read_table(store.path("raw.people"))
    assert stored.column_names == CONTRACTS["raw.people"].column_names
    assert stored["email"].to_pylist() == [None]


def test_raw_duplicates_are_kept_for_cleaning_to_set_aside(store: Store):
    twice = pd.DataFrame({"source": ["crm"] * 2, "source_id": ["1"] * 2})
    assert store.write("raw.people", twice) == 2


def test_an_empty_table_can_be_stored_and_read(store: Store):
    for name in ("purchase_days", "raw.surveys"):
        assert store.write(name, empty_table(CONTRACTS[name])) == 0
        assert store.read(name).fetchall() == []
        assert store.count(name) == 0


def test_the_frame_given_is_not_changed(store: Store):
    frame = purchase_days(["b", "a"], margin=[np.nan, 1 / 3])
    before = frame.copy(deep=True)
    store.write("purchase_days", frame)
    pd.testing.assert_frame_equal(frame, before)


# --- facts and metrics ---


def test_facts_calendar_and_snapshots_round_trip(store: Store):
    calendar = Calendar(date(2024, 1, 1), date(2024, 6, 1), date(2024, 12, 31))
    snapshots = Snapshots(30, (date(2024, 9, 1),), date(2024, 12, 1), date(2024, 12, 31))
    store.write_json("data/raw/dataset.json", {"name": "Été", "calendar": calendar.to_dict()})
    store.write_json("data/features/snapshots.json", snapshots.to_dict())
    assert store.dataset()["name"] == "Été"
    assert store.calendar() == calendar
    assert store.snapshots() == snapshots


def test_metrics_are_flat_rounded_numbers(store: Store):
    returned = store.write_metrics("churn", {"b": np.float64(1 / 3), "a": 2.0, "n": np.int64(7)})
    assert returned == {"b": 0.333333, "a": 2, "n": 7}
    text = (store.root / "metrics" / "churn.json").read_text()
    assert text == '{\n  "a": 2,\n  "b": 0.333333,\n  "n": 7\n}\n'
    assert json.loads(text) == returned


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_metric_that_is_no_number_is_refused(store: Store, value: float):
    with pytest.raises(ContractError, match=r"metrics/churn\.json: lift is .*leave it out"):
        store.write_metrics("churn", {"lift": value})
    assert not (store.root / "metrics").exists()


def test_a_folder_is_made_once(store: Store):
    assert store.folder("models/churn").is_dir()
    assert store.folder("models/churn") == store.root / "models" / "churn"


# --- folders ---


def test_a_folder_replaces_the_one_before_whole(tmp_path: Path):
    folder = tmp_path / "data" / "handoff" / "spring"
    write_folder(folder, {"a.csv": b"one", "b.csv": b"two"})
    write_folder(folder, {"a.csv": b"three"})
    assert files(tmp_path) == {"data/handoff/spring/a.csv"}
    assert (folder / "a.csv").read_bytes() == b"three"
    assert [p.name for p in folder.parent.iterdir()] == ["spring"]


@pytest.mark.parametrize("broken", ["write", "move"])
def test_a_folder_that_cannot_be_written_leaves_the_last_one(tmp_path, monkeypatch, broken):
    folder = tmp_path / "spring"
    write_folder(folder, {"a.csv": b"one"})
    if broken == "write":
        content = {"a.csv": b"two", "b.csv": "no bytes"}
    else:
        content = {"a.csv": b"two"}
        replace = storage.os.replace

        def fail_once(source, target):
            if source.name.endswith(".tmp"):
                raise OSError("disk full")
            replace(source, target)

        monkeypatch.setattr(storage.os, "replace", fail_once)
    with pytest.raises((OSError, TypeError)):
        write_folder(folder, content)
    assert files(tmp_path) == {"spring/a.csv"}
    assert (folder / "a.csv").read_bytes() == b"one"
    assert [p.name for p in tmp_path.iterdir()] == ["spring"]


@pytest.mark.parametrize("name", ["../a.csv", "below/a.csv", ""])
def test_a_folder_holds_files_with_plain_names_only(tmp_path: Path, name):
    with pytest.raises(ValueError, match="plain name"):
        write_folder(tmp_path / "spring", {name: b""})
    assert not (tmp_path / "spring").exists()


def test_what_is_kept_is_computed_once_and_stays(store):
    made = store.connection.sql("select i, random() as drawn from range(3) t(i)")
    kept = store.keep(made)
    assert kept.fetchall() == kept.fetchall()
    assert store.keep(made).fetchall() != kept.fetchall()
