"""A wrong datasets/NAME.yaml is refused in words, every problem at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from customer360.worlds.spec import DatasetError, known_columns, needed_columns, read_spec

HEAD = """\
name: mine
world: files
currency: EUR
country: FR
timezone: Europe/Paris
margin_rate: 0.30
"""
FILES = """\
files:
  - file: sales.csv
    table: orders
    columns: {client: source_id, date: ordered_at, total: amount}
"""


def write(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / "datasets" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, text: str) -> str:
    with pytest.raises(DatasetError) as error:
        read_spec(write(folder, text))
    return str(error.value)


def test_defaults_are_filled_in(tmp_path):
    spec = read_spec(write(tmp_path, HEAD + FILES))
    assert spec["calendar"] == {"as_of": None, "calibration_end": None}
    assert spec["options"] == {}
    (entry,) = spec["files"]
    assert entry["format"] == "csv"
    assert entry["encoding"] == "utf-8"
    assert entry["date_format"] == ["iso"]
    assert entry["negative_amounts"] == "reject"


@pytest.mark.parametrize("name", ["template", "demo", "cdnow", "complete_journey"])
def test_datasets_of_the_project_are_valid(name):
    root = Path(__file__).parents[3]
    assert read_spec(root / "datasets" / f"{name}.yaml")["name"] == name


def test_every_problem_is_told_at_once(tmp_path):
    message = refused(
        tmp_path,
        HEAD.replace("EUR", "euro").replace("Europe/Paris", "Paris").replace("0.30", "30")
        + 'calendar: {as_of: "31/12/2025"}\nfilez: []\n'
        + FILES,
    )
    assert message.startswith("datasets/mine.yaml: 5 problems")
    assert "currency: found 'euro'; write 3 capital letters" in message
    assert "did you mean Europe/Paris?" in message
    assert "margin_rate: found 30; write a share between 0 and 1" in message
    assert 'write a day in quotes as "2025-12-31"' in message
    assert "filez: this key is not known; did you mean 'files'" in message


def test_unquoted_date_is_refused(tmp_path):
    message = refused(tmp_path, HEAD + "calendar: {as_of: 2025-12-31}\n" + FILES)
    assert (
        'calendar.as_of: found the unquoted date 2025-12-31; write it in quotes: "2025-' in message
    )


def test_calibration_must_end_before_as_of(tmp_path):
    calendar = 'calendar: {as_of: "2025-06-30", calibration_end: "2025-06-30"}\n'
    assert "is not before as_of" in refused(tmp_path, HEAD + calendar + FILES)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "total: amount",
            "total: amout",
            "'amout' is not a column of orders; did you mean 'amount'",
        ),
        ("table: orders", "table: order", "'order' is no table; did you mean 'orders'"),
        ("total: amount", "day: ordered_at", "both 'date' and 'day' are read as ordered_at"),
        (", total: amount", "", "nothing is read as amount"),
        ("client: source_id, ", "", "nothing is read as source_id"),
        ("sales.csv", "sales.dat", "write format: csv, excel or parquet"),
        ("sales.csv", "../sales.csv", "copy it into data/incoming/NAME/"),
        ("table: orders", "table: orders\n    separater: ';'", "did you mean 'separator'"),
        ("table: orders", "table: orders\n    encoding: utf9", "'utf9' is not known; did you mean"),
        (
            "table: orders",
            "table: orders\n    header_row: 0",
            "write the row of the titles, from 1",
        ),
        ("table: orders", "table: orders\n    decimal: virgule", 'write "," or "."'),
        ("table: orders", "table: orders\n    date_format: jj/mm/aaaa", 'write it as "%d/%m/%Y"'),
        (
            "table: orders",
            'table: orders\n    date_format: ["%d/%m/%Y", "%m/%d/%Y"]',
            "holds day first and month first",
        ),
        ("table: orders", "table: orders\n    units: {source_id: 2}", "source_id is not a number"),
        (
            "table: orders",
            "table: orders\n    values: {status: {Payée: payed}}",
            "'payed' is not a status; did you mean 'paid'",
        ),
        (
            "table: orders",
            "table: orders\n    constants: {status: sold}",
            "write one of paid, returned, unpaid",
        ),
        (
            "table: orders",
            "table: orders\n    constants: {amount: 1}",
            "constants.amount: is already read from a column",
        ),
        ("table: orders", "table: orders\n    negative_amounts: keep", "write reject or return"),
    ],
)
def test_wrong_entry_says_what_to_write(tmp_path, old, new, told):
    message = refused(tmp_path, HEAD + FILES.replace(old, new, 1))
    assert "files, entry 1 (" in message
    assert told in message


def test_orders_are_required(tmp_path):
    text = FILES.replace("table: orders", "table: people")
    text = text.replace("date: ordered_at, total: amount", "date: created_at")
    assert "orders is required" in refused(tmp_path, HEAD + text)
    assert "no file is described" in refused(tmp_path, HEAD)


def test_key_written_twice_is_refused(tmp_path):
    message = refused(tmp_path, HEAD + "currency: USD\n" + FILES)
    assert "line 7: 'currency' stands twice" in message


def test_broken_yaml_names_the_line(tmp_path):
    message = refused(tmp_path, HEAD + "files: [unclosed\n")
    assert "datasets/mine.yaml: line" in message and "Check the indentation" in message


def test_words_that_yaml_takes_for_something_else_stay_words(tmp_path):
    text = HEAD.replace("FR", "NO") + FILES.replace(
        "client: source_id", "No: source_id, mode: payment"
    )
    text += "    values: {payment: {01: card, Oui: cash}}\n"
    spec = read_spec(write(tmp_path, text))
    assert spec["country"] == "NO"
    assert spec["files"][0]["columns"]["No"] == "source_id"
    assert spec["files"][0]["values"] == {"payment": {"01": "card", "Oui": "cash"}}


def test_name_is_the_name_of_the_file(tmp_path):
    with pytest.raises(DatasetError, match="name: found 'mine'; write yours"):
        read_spec(write(tmp_path, HEAD + FILES, name="yours"))


def test_missing_description_lists_the_datasets(tmp_path):
    write(tmp_path, HEAD + FILES)
    with pytest.raises(DatasetError, match="the datasets are mine"):
        read_spec(tmp_path / "datasets" / "other.yaml")


def test_needed_columns_leave_out_what_can_be_made_up():
    assert needed_columns("orders") == ["source_id", "ordered_at", "amount"]
    assert needed_columns("people") == []
    assert "unit_price" in known_columns("orders")
    assert "unit_price" not in known_columns("products")
