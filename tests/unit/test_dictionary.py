from __future__ import annotations

from customer360.contracts import CONTRACTS
from customer360.dictionary import render_dictionary


def section(name: str) -> str:
    return render_dictionary().split(f"\n### {name}\n")[1].split("\n### ")[0]


def test_every_table_and_column_has_its_place():
    page = render_dictionary()
    for name, table in CONTRACTS.items():
        assert page.count(f"\n### {name}\n") == 1
        rows = [line for line in section(name).splitlines() if line.startswith("| ")]
        assert [row.split(" | ")[0].lstrip("| ") for row in rows[1:]] == table.column_names


def test_a_section_says_grain_key_file_units_and_codes():
    days = section("purchase_days")
    assert "One row is a day on which a customer bought." in days
    assert "Key: `customer_id`, `day`." in days
    assert "`data/features/purchase_days.parquet`" in days
    assert "| margin | number | currency |  | yes | margin that day |" in days
    assert "| orders | integer | count |  | no | orders that day |" in days
    assert "(paid, returned, unpaid)" in section("raw.orders")
    assert "Key: none: rows are events." in section("raw.web_events")


def test_personal_columns_are_marked():
    rows = section("raw.people").splitlines()
    rows = [row for row in rows if not row.startswith("| column")]
    marked = {row.split(" | ")[0].lstrip("| ") for row in rows if " | P | " in row}
    assert marked == set(CONTRACTS["raw.people"].personal_columns)


def test_tables_hold_together():
    for line in render_dictionary().splitlines():
        if line.startswith("|"):
            assert line.count("|") == 7, line
    folders = [line for line in render_dictionary().splitlines() if line.startswith("## ")]
    assert len(folders) == len(set(folders))
    assert render_dictionary() == render_dictionary()
