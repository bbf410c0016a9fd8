"""Files of every kind of badness end in rejected rows or in a message that helps."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.worlds.mapped import read_and_report, read_files
from customer360.worlds.spec import DatasetError, read_spec

HEAD = """\
name: mine
world: files
currency: EUR
country: FR
timezone: Europe/Paris
margin_rate: 0.30
files:
"""
ENTRY = """\
  - file: sales.csv
    table: orders
    columns: {client: source_id, ticket: order_id, date: ordered_at, total: amount}
"""
TITLES = "client,ticket,date,total\n"
GOOD = TITLES + "C1,T1,2025-01-02,10.50\nC2,T2,2025-01-03,20\n"


class Project:
    """A project folder with files of a dataset in it."""

    def __init__(self, root: Path):
        self.root = root
        self.incoming = root / "data" / "incoming" / "mine"
        self.incoming.mkdir(parents=True)
        (root / "datasets").mkdir()

    def put(self, name: str, content: str | bytes) -> None:
        data = content.encode("utf-8") if isinstance(content, str) else content
        (self.incoming / name).write_bytes(data)

    def spec(self, entries: str = ENTRY) -> dict:
        path = self.root / "datasets" / "mine.yaml"
        path.write_text(HEAD + entries, encoding="utf-8")
        return read_spec(path)

    def read(self, entries: str = ENTRY):
        return read_files(spec=self.spec(entries), root=self.root)

    def refused(self, entries: str = ENTRY) -> str:
        with pytest.raises(DatasetError) as error:
            self.read(entries)
        return str(error.value)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def orders(arrived) -> pd.DataFrame:
    return arrived.tables["orders"].to_pandas()


def reasons(arrived) -> list[str]:
    return arrived.rejected.column("reason").to_pylist()


# --- what can be read -------------------------------------------------------------------------


def test_tables_keep_their_contracts(project):
    project.put("sales.csv", GOOD + ",T3,2025-01-04,5\n")
    arrived = project.read()
    table = arrived.tables["orders"]
    assert table.schema == arrow_schema(CONTRACTS["raw.orders"])
    validate_batch(CONTRACTS["raw.orders"], table)
    validate_batch(CONTRACTS["raw.rejected"], arrived.rejected)
    validate_batch(CONTRACTS["raw.emptied"], arrived.emptied)
    assert orders(arrived)["source"].tolist() == ["mine", "mine"]
    assert orders(arrived)["line_no"].tolist() == ["1", "1"]


def test_values_constants_units_and_skipping(project):
    project.put(
        "sales.csv",
        "client;date;total;mode;statut\n"
        "C1;31/12/2025;1050;cb;Payée\n"
        "C2;31/12/2025;2000;CB;ANNULÉE\n"
        "C3;31/12/2025;3000;Troc;en attente\n",
    )
    arrived = project.read(
        "  - file: sales.csv\n"
        "    table: orders\n"
        '    separator: ";"\n'
        '    date_format: "%d/%m/%Y"\n'
        "    columns: {client: source_id, date: ordered_at, total: amount, mode: payment,"
        " statut: status}\n"
        "    constants: {source: till, channel: store}\n"
        "    values: {payment: {CB: card}, status: {Payée: paid}}\n"
        "    units: {amount: 0.01}\n"
        "    skip_when: {statut: [Annulée]}\n"
    )
    read = orders(arrived)
    assert read["amount"].tolist() == [10.5, 30.0]
    assert read["payment"].tolist() == ["card", "Troc"]
    assert read["channel"].tolist() == ["store", "store"]
    assert read["status"].tolist()[0] == "paid" and pd.isna(read["status"].iloc[1])
    assert reasons(arrived) == ["statut is Annulée: set aside by skip_when"]
    (rejected,) = arrived.rejected.to_pylist()
    assert rejected["row"] == 3 and rejected["file"] == "sales.csv"
    assert rejected["source"] == "till" and rejected["amount"] == 20.0
    assert json.loads(rejected["content"])["statut"] == "ANNULÉE"
    (emptied,) = arrived.emptied.to_pylist()
    assert (emptied["source_id"], emptied["field"], emptied["value"]) == (
        "C3",
        "status",
        "en attente",
    )


def test_orders_without_number_are_made_of_customer_and_time(project):
    project.put(
        "sales.csv",
        "client,date,total\nC1,2025-01-02,1\nC1,2025-01-02,2\nC1,2025-01-02 10:00,3\n"
        "C2,2025-01-02,4\n",
    )
    entry = ENTRY.replace("ticket: order_id, ", "")
    read = orders(project.read(entry))
    assert read["order_id"].tolist() == [
        "C1@2025-01-02",
        "C1@2025-01-02",
        "C1@2025-01-02 09:00:00",
        "C2@2025-01-02",
    ]
    assert read["line_no"].tolist() == ["1", "2", "1", "1"]


def test_amount_from_unit_price_and_quantity(project):
    project.put("sales.csv", "client,date,price,qty\nC1,2025-01-02,0.1,3\nC2,2025-01-02,5,\n")
    arrived = project.read(
        ENTRY.replace("ticket: order_id, ", "").replace(
            "total: amount", "price: unit_price, qty: quantity"
        )
    )
    assert orders(arrived)["amount"].tolist() == [0.3]
    assert reasons(arrived) == ["amount cannot be computed: unit_price or quantity cannot be read"]


def test_two_time_zones(project):
    project.put("paris.csv", TITLES + "C1,T1,2025-07-01 12:00,1\n")
    project.put("york.csv", TITLES + "C1,T2,2025-07-01 12:00,1\n")
    arrived = project.read(
        ENTRY.replace("sales.csv", "paris.csv")
        + ENTRY.replace("sales.csv", "york.csv")
        + "    timezone: America/New_York\n"
    )
    assert [t.hour for t in orders(arrived)["ordered_at"]] == [10, 16]


def test_future_dates_are_kept_for_cleaning_to_judge(project):
    project.put("sales.csv", GOOD + "C3,T3,2031-01-01,5\n")
    assert len(orders(project.read())) == 3


def test_glob_reads_every_file_once_and_names_rows_across_files(project):
    project.put("sales_1.csv", GOOD)
    project.put("sales_2.csv", GOOD.replace("T2", "T9"))
    arrived = project.read(ENTRY.replace("sales.csv", "sales_*.csv"))
    assert len(orders(arrived)) == 3
    assert reasons(arrived) == ["duplicate of row 2 of sales_1.csv"]
    twice = ENTRY.replace("sales.csv", "sales_*.csv") + ENTRY.replace("sales.csv", "sales_1.csv")
    assert "sales_1.csv is read twice as orders" in project.refused(twice)


def test_people_without_number_get_one_from_their_content(project):
    project.put("sales.csv", GOOD)
    project.put("people.csv", "nom,mail\nMartin,a@b.fr\nDurand,c@d.fr\n")
    entries = ENTRY + (
        "  - file: people.csv\n    table: people\n    columns: {nom: last_name, mail: email}\n"
    )
    one = project.read(entries).tables["people"].to_pandas().set_index("last_name")["source_id"]
    project.put("people.csv", "nom,mail\nDurand,c@d.fr\nMartin,a@b.fr\n")
    two = project.read(entries).tables["people"].to_pandas().set_index("last_name")["source_id"]
    assert one.nunique() == 2
    assert one.to_dict() == two.to_dict()


def test_distinct_reads_a_repeated_customer_once(project):
    project.put(
        "sales.csv",
        "client,ticket,date,total,nom\n"
        "C1,T1,2025-01-02,1,Martin\nC1,T2,2025-01-03,2,Martin\nC2,T3,2025-01-03,2,Durand\n"
        ",T4,2025-01-03,2,\n",
    )
    arrived = project.read(
        ENTRY
        + "  - file: sales.csv\n    table: people\n    distinct: true\n"
        + "    columns: {client: source_id, nom: last_name}\n"
    )
    assert arrived.tables["people"].column("source_id").to_pylist() == ["C1", "C2"]
    assert reasons(arrived) == ["no customer id"]


def test_two_digit_birth_years_are_of_the_last_century(project):
    project.put("sales.csv", GOOD)
    project.put("people.csv", "id,ne\n1,12/03/45\n2,12/03/05\n")
    arrived = project.read(
        ENTRY
        + '  - file: people.csv\n    table: people\n    date_format: "%d/%m/%y"\n'
        + "    columns: {id: source_id, ne: birth_date}\n"
    )
    assert arrived.tables["people"].column("birth_date").to_pylist() == [
        dt.date(1945, 3, 12),
        dt.date(2005, 3, 12),
    ]


def test_excel_and_parquet_give_what_csv_gives(project):
    rows = [("C1", "T1", dt.date(2025, 1, 2), 10.5), ("C2", "T2", dt.date(2025, 1, 3), 20)]
    book = openpyxl.Workbook()
    for row in (["Export"], [], ["client", "ticket", "date", "total"], *rows):
        book.active.append(row)
    book.save(project.incoming / "sales.xlsx")
    frame = pd.DataFrame(rows, columns=["client", "ticket", "date", "total"])
    frame["date"] = pd.to_datetime(frame["date"])
    frame.to_parquet(project.incoming / "sales.parquet")
    project.put("sales.csv", GOOD)
    csv = orders(project.read())
    excel = orders(project.read(ENTRY.replace("sales.csv", "sales.xlsx") + "    header_row: 3\n"))
    parquet = orders(project.read(ENTRY.replace("sales.csv", "sales.parquet")))
    pd.testing.assert_frame_equal(csv, excel)
    pd.testing.assert_frame_equal(csv, parquet)


def test_reading_twice_gives_the_same_tables(project):
    project.put("sales.csv", GOOD + ",T3,2025-01-04,5\nC1,T1,2025-01-02,10.50\n")
    one, two = project.read(), project.read()
    assert one.tables["orders"].equals(two.tables["orders"])
    assert one.rejected.equals(two.rejected)


# --- bad input: rows set aside ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",T3,2025-01-04,5", "no customer id"),
        ("C3,T3,2025-01-04,cinq", "amount (column 'total') is not a number with decimal \".\""),
        ("C3,T3,04-13-2025,5", "ordered_at (column 'date') is not a date like 2025-12-31"),
        ("C3,T3,,5", "ordered_at is empty"),
        ("C3,T3,2025-01-04,", "amount is empty"),
        ("C3,,2025-01-04,5", "order_id is empty"),
        ("C1,T1,2025-01-02,10.50", "duplicate of row 2"),
        (
            "C3,T3,2025-01-04,-5",
            "negative amount: write negative_amounts: return if such lines are refunds",
        ),
        ("C3,T3,2025-01-04", "3 cells where the titles are 4"),
        ("C3,T3,2025-01-04,5,6", "5 cells where the titles are 4"),
        ("C3,T\0,2025-01-04,5", "NUL bytes: the file is damaged here"),
        ("C3,T3" + "x" * 40_000 + ",2025-01-04,5", "a cell longer than 32,767 characters"),
        (",,,35.50", "neither customer nor date: a total or a remark, not a purchase"),
        ('C3,"T3,2025-01-04,5', "a quote left open swallows the next 1 lines"),
    ],
)
def test_bad_row_is_set_aside_with_its_reason(project, row, reason):
    project.put("sales.csv", GOOD + "\n" + row + "\nC9,T9,2025-01-09,9\n")
    arrived = project.read()
    swallowed = row.count('"')
    assert orders(arrived)["source_id"].tolist() == ["C1", "C2", "C9"][: 3 - swallowed]
    (rejected,) = arrived.rejected.to_pylist()
    assert rejected["reason"].startswith(reason)
    assert rejected["row"] == 5
    assert rejected["table"] == "orders"
    assert json.loads(rejected["content"])
    assert len(rejected["content"]) < 33_000


def test_negative_amounts_as_refunds(project):
    project.put(
        "sales.csv", "client,ticket,date,total,qty\nC1,T1,2025-01-02,-5,2\nC1,T2,2025-01-02,5,2\n"
    )
    entry = ENTRY.replace("total: amount", "total: amount, qty: quantity")
    read = orders(project.read(entry + "    negative_amounts: return\n"))
    assert read["status"].fillna("").tolist() == ["returned", ""]
    assert read["amount"].tolist() == [-5.0, 5.0]
    assert read["quantity"].tolist() == [-2.0, 2.0]


def test_duplicated_keys_with_other_content(project):
    project.put(
        "sales.csv",
        "client,ticket,line,date,total\n" + "C1,T1,1,2025-01-02,5\n" * 2 + "C1,T1,1,2025-01-02,6\n",
    )
    arrived = project.read(ENTRY.replace("ticket: order_id", "ticket: order_id, line: line_no"))
    assert reasons(arrived) == [
        "duplicate of row 2",
        "same source, order_id, line_no as row 2",
    ]


def test_rows_that_differ_in_an_unmapped_column_are_no_duplicates(project):
    project.put(
        "sales.csv",
        "client,ticket,date,total,article\n"
        "C1,T1,2025-01-02,5,A\nC1,T1,2025-01-02,5,B\nC1,T1,2025-01-02,5,B\n",
    )
    assert orders(project.read())["line_no"].tolist() == ["1", "2"]
    kept = project.read(ENTRY + "    duplicate_rows: keep\n")
    assert orders(kept)["line_no"].tolist() == ["1", "2", "3"]


def test_unreadable_optional_value_is_emptied_and_kept_aside(project):
    rows = "".join(f"C{i},T{i},2025-01-02,5,1\n" for i in range(30))
    project.put(
        "sales.csv", "client,ticket,date,total,qty\n" + rows + "C99,T99,2025-01-02,5,deux\n"
    )
    spec = project.spec(ENTRY.replace("total: amount", "total: amount, qty: quantity"))
    arrived, (report,) = read_and_report(spec=spec, root=project.root)
    assert len(orders(arrived)) == 31 and arrived.rejected.num_rows == 0
    (emptied,) = arrived.emptied.to_pylist()
    assert emptied == {
        "table": "orders",
        "source": "mine",
        "source_id": "C99",
        "field": "quantity",
        "value": "deux",
        "reason": "quantity (column 'qty') is not a number with decimal \".\"",
    }
    assert list(report.emptied.values()) == [1]


def test_every_row_is_accounted_for_and_counted_by_reason(project):
    project.put(
        "sales.csv", GOOD + ",,,\n  ,T3,2025-01-04,5\nC1,T1,2025-01-02,10.50\n\nC3,T4,x,1\n"
    )
    arrived, (report,) = read_and_report(spec=project.spec(), root=project.root)
    assert (report.rows, report.kept) == (5, 2)
    assert report.rejected == {
        "duplicate of another row": 1,
        "no customer id": 1,
        "ordered_at (column 'date') is not a date like 2025-12-31": 1,
    }
    assert report.amount == 30.5
    assert report.amount_rejected == 16.5
    assert arrived.rejected.num_rows + arrived.tables["orders"].num_rows == report.rows


# --- bad input: files that cannot be understood -----------------------------------------------


def test_missing_file_lists_the_folder(project):
    project.put("sale.csv", GOOD)
    message = project.refused()
    assert "sales.csv: no such file in data/incoming/mine; did you mean 'sale.csv'?" in message


def test_missing_folder(tmp_path):
    project = Project(tmp_path)
    project.incoming.rmdir()
    assert "data/incoming/mine does not exist" in project.refused()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "sales.csv is empty (0 bytes)"),
        ("\n \n", "sales.csv is empty (blank lines only)"),
        (TITLES, "holds its titles (client, ticket, date, total) and no row"),
        (
            GOOD.replace(",", ";"),
            "one column found with separator ',', titled 'client;ticket;date;total'; "
            'write separator: ";"',
        ),
        (
            GOOD.replace("total", "totale"),
            "no column is titled 'total' in row 1; did you mean 'totale'? The columns are 'client'",
        ),
        (GOOD.replace("ticket", "total"), "columns 2 and 4 are both titled 'total'"),
        (
            GOOD.replace("C1", "Zoé").encode("cp1252"),
            "sales.csv is not in encoding utf-8 (row 2); it can be read as cp1252: "
            "write encoding: cp1252",
        ),
        (GOOD.encode("utf-16"), "it can be read as utf-16: write encoding: utf-16"),
        (b"PAR1" + b"x" * 50, "is not a file of format csv; write format: parquet"),
        (b"PK\x03\x04" + b"x" * 50, "is not a file of format csv; write format: excel"),
        (bytes(200), "mostly NUL bytes"),
        (
            GOOD.replace("2025-01-02", "31/12/2025").replace("2025-01-03", "30/11/2025"),
            "column 'date' (read as ordered_at): 2 of 2 values are not a date like 2025-12-31, for "
            "example '31/12/2025', '30/11/2025'; write date_format: \"%d/%m/%Y\"",
        ),
        (
            GOOD.replace("10.50", '"10,50"').replace("20", '"20,00"').replace('"20,00"25', "2025"),
            "2 of 2 values are not a number with decimal \".\", for example '10,50', '20,00'; "
            'write decimal: ","',
        ),
        (
            TITLES + "C1,T1,demain,1\nC2,T2,hier,1\nC3,T3,2025-01-01,1\n",
            "2 of 3 values are not a date like 2025-12-31, for example 'demain', 'hier'; map "
            "another column, or correct the file",
        ),
        (
            TITLES
            + "C1,T1,2025-01-01,1\nC2,T2,31/12/2025,1\nC3,T3,30/12/2025,1\nC4,T4,2025-01-01,1",
            "mixes styles: 2 of 4 values are not a date like 2025-12-31, for example "
            "'31/12/2025', '30/12/2025'; write date_format: [\"iso\", \"%d/%m/%Y\"]",
        ),
        (TITLES + ",T1,2025-01-01,1\n,T2,2025-01-01,1\n", "no row has a value, and source_id"),
        (
            GOOD + "".join(f"C{i},T{i},2025-01-02,5,6\n" for i in range(9)),
            "row 1 has 4 titles, but 9 rows have another number of cells (most often 5)",
        ),
        (
            GOOD + 'C3,"T3,2025-01-04,5\n' + "C4,T4,2025-01-02,5\n" * 40,
            "a quote opened in row 4 is not closed and swallows the next 40 lines",
        ),
    ],
)
def test_file_that_cannot_be_understood(project, content, told):
    project.put("sales.csv", content)
    assert told in project.refused()


def test_day_and_month_first_in_one_column(project):
    days = "".join(f"C{i},T{i},{i + 13}/01/2025,1\n" for i in range(10))
    months = "".join(f"D{i},U{i},01/{i + 13}/2025,1\n" for i in range(4))
    project.put("sales.csv", TITLES + days + months)
    message = project.refused(ENTRY + '    date_format: "%d/%m/%Y"\n')
    assert "mixes styles: 4 of 14 values" in message
    assert "day first and month first cannot both be meant" in message


def test_utf8_read_as_cp1252_is_refused_before_it_spoils_accents(project):
    project.put("sales.csv", GOOD.replace("C1", "Zoé"))
    assert "write encoding: utf-8" in project.refused(ENTRY + "    encoding: cp1252\n")


def test_byte_order_mark_and_odd_spaces_in_titles_do_not_matter(project):
    project.put("sales.csv", ("\ufeff" + GOOD.replace("total", " total\u00a0")).encode("utf-8"))
    assert len(orders(project.read())) == 2


def test_values_of_personal_columns_are_never_shown(project):
    project.put("sales.csv", GOOD)
    project.put("people.csv", "id,ne\n1,12/03/1945\n2,13/03/1945\n")
    message = project.refused(
        ENTRY
        + "  - file: people.csv\n    table: people\n    columns: {id: source_id, ne: birth_date}\n"
    )
    assert "2 of 2 values are not a date" in message
    assert "1945" not in message
    assert 'write date_format: "%d/%m/%Y"' in message


def test_all_files_are_looked_at_before_stopping(project):
    project.put("a.csv", "")
    message = project.refused(ENTRY.replace("sales.csv", "a.csv") + ENTRY)
    assert "a.csv is empty" in message and "sales.csv: no such file" in message


def test_folder_instead_of_a_file(project):
    (project.incoming / "sales.csv").mkdir()
    assert "sales.csv is a folder" in project.refused()


@pytest.mark.parametrize("name", ["sales.xlsx", "sales.parquet"])
def test_damaged_files(project, name):
    start = b"PK\x03\x04" if name.endswith("xlsx") else b"PAR1"
    project.put(name, start + b"damaged" * 20)
    message = project.refused(ENTRY.replace("sales.csv", name))
    assert f"{name} cannot be opened as" in message and "damaged" in message


def test_text_named_xlsx(project):
    project.put("sales.xlsx", GOOD)
    assert "write format: csv" in project.refused(ENTRY.replace("sales.csv", "sales.xlsx"))


def test_missing_sheet_lists_the_sheets(project):
    book = openpyxl.Workbook()
    book.active.title = "Ventes"
    book.active.append(["client"])
    book.save(project.incoming / "sales.xlsx")
    entry = ENTRY.replace("sales.csv", "sales.xlsx") + "    sheet: Vente\n"
    assert "has no sheet 'Vente'; its sheets are 'Ventes'" in project.refused(entry)


def test_empty_parquet(project):
    schema = pa.schema([(name, pa.string()) for name in ("client", "ticket", "date", "total")])
    pa.parquet.write_table(schema.empty_table(), project.incoming / "sales.parquet")
    assert "no row" in project.refused(ENTRY.replace("sales.csv", "sales.parquet"))
