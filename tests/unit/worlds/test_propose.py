"""A first mapping made by looking at the files, through to tables, with nothing edited."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml

from customer360.contracts import CONTRACTS, validate_batch
from customer360.worlds.mapped import read_files
from customer360.worlds.propose import check_spec, new_dataset, propose_spec
from customer360.worlds.spec import DatasetError, read_spec

ROOT = Path(__file__).parents[3]


def _messy():
    """tests/messy.py, whatever folder the tests are started from."""
    if "messy" not in sys.modules:
        spec = importlib.util.spec_from_file_location("messy", ROOT / "tests" / "messy.py")
        sys.modules["messy"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["messy"])
    return sys.modules["messy"]


def put(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def propose(*files: Path, **more) -> tuple[dict, str]:
    text = propose_spec(name="mine", files=list(files), **more)
    return yaml.safe_load(text), text


def questions(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if "# ?" in line and line[0] != "#"]


# --- the whole way ----------------------------------------------------------------------------


@pytest.mark.parametrize("with_people", [True, False])
def test_messy_french_workbook_needs_no_editing(tmp_path, with_people):
    source = tmp_path / "ventes maison.xlsx"
    facts = _messy().write_messy_excel(source, customers=60, with_people=with_people)
    assert min(facts.cancelled, facts.duplicates, facts.no_customer, facts.refunds) > 0
    root = tmp_path / "project"
    path = new_dataset(name="maison", files=[source], root=root)
    assert path == root / "datasets" / "maison.yaml"
    assert (root / "data/incoming/maison/ventes maison.xlsx").read_bytes() == source.read_bytes()
    assert questions(path.read_text("utf-8")) == []

    spec = read_spec(path)
    report = check_spec(spec=spec, root=root)
    assert report.ok
    orders_file = report.files[0]
    assert (orders_file.rows, orders_file.kept) == (facts.rows, facts.good)
    assert orders_file.rejected == {
        "Statut is Annulée: set aside by skip_when": facts.cancelled,
        "duplicate of another row": facts.duplicates,
        "neither customer nor date: a total or a remark, not a purchase": 1,
        "no customer id": facts.no_customer,
    }
    assert "Vendeur" in orders_file.unused
    assert any(f"{facts.good:,} read" in line for line in report.lines)

    arrived = read_files(spec=spec, root=root)
    for name, table in arrived.tables.items():
        validate_batch(CONTRACTS[f"raw.{name}"], table)
    orders = arrived.tables["orders"].to_pandas()
    assert orders["amount"].sum() == pytest.approx(facts.amount, abs=0.005)
    assert orders["source_id"].nunique() == facts.customers
    assert (orders["amount"] < 0).sum() == facts.refunds
    assert set(orders.loc[orders["amount"] < 0, "status"]) == {"returned"}
    assert set(orders["payment"]) == {"card", "cash", "cheque"}
    assert not orders.duplicated(["source", "order_id", "line_no"]).any()
    assert ("people" in arrived.tables) == with_people
    if with_people:
        people = arrived.tables["people"].to_pandas()
        assert people["source_id"].is_unique
        assert set(orders["source_id"]) <= set(people["source_id"])
        assert "01000" in set(people["postcode"])


def test_the_same_files_give_the_same_mapping(tmp_path):
    _messy().write_messy_excel(tmp_path / "v.xlsx", customers=10)
    assert propose(tmp_path / "v.xlsx")[1] == propose(tmp_path / "v.xlsx")[1]


def test_wrong_mapping_fails_the_check_in_words(tmp_path):
    source = put(tmp_path, "ventes.csv", "client;date;montant\nC1;31/12/2025;5\nC2;30/12/2025;6\n")
    path = new_dataset(name="mine", files=[source], root=tmp_path)
    path.write_text(path.read_text("utf-8").replace("%d/%m/%Y", "%m/%d/%Y"), encoding="utf-8")
    report = check_spec(spec=read_spec(path), root=tmp_path)
    assert not report.ok
    assert any('write date_format: "%d/%m/%Y"' in line for line in report.lines)


# --- what is recognised -----------------------------------------------------------------------


def test_files_of_several_tables_in_several_formats(tmp_path):
    orders = put(
        tmp_path,
        "commandes.csv",
        "Réf client;N° facture;Date facture;Total TTC;Remise;Canal\n"
        "C1;F1;31/12/2025 14:05;1.234,50 €;0,00;Boutique\n"
        "C2;F2;30/12/2025 09:00;12,00 €;1,50;Site web\n",
        "cp1252",
    )
    people = put(
        tmp_path,
        "clients.txt",
        "Réf client\tCivilité\tNOM\tPrénom\tNé(e) le\tAdresse e-mail\tTél. portable\tCP\tVille\n"
        "C1\tMme\tMartin\tZoé\t28/03/1980\tzoe@b.fr\t0612345678\t01000\tBourg\n",
    )
    products = tmp_path / "articles.parquet"
    pd.DataFrame({"sku": ["A"], "designation": ["Lampe"], "prix_achat": [3.0]}).to_parquet(products)
    spec, text = propose(orders, people, products)
    first, second, third = spec["files"]
    assert first["table"] == "orders"
    assert first["columns"] == {
        "Réf client": "source_id",
        "N° facture": "order_id",
        "Date facture": "ordered_at",
        "Total TTC": "amount",
        "Remise": "discount",
        "Canal": "channel",
    }
    assert (first["separator"], first["encoding"]) == (";", "cp1252")
    assert (first["decimal"], first["thousands"]) == (",", ".")
    assert first["date_format"] == "%d/%m/%Y %H:%M"
    assert first["values"] == {"channel": {"Boutique": "store", "Site web": "web"}}
    assert first["constants"] == {"source": "mine", "status": "paid"}
    assert second["table"] == "people" and second["separator"] == "tab"
    assert second["columns"] == {
        "Réf client": "source_id",
        "Civilité": "title",
        "Prénom": "first_name",
        "NOM": "last_name",
        "Né(e) le": "birth_date",
        "Adresse e-mail": "email",
        "Tél. portable": "phone",
        "CP": "postcode",
        "Ville": "city",
    }
    assert third["table"] == "products" and third["format"] == "parquet"
    assert third["columns"] == {
        "sku": "product_id",
        "designation": "name",
        "prix_achat": "unit_cost",
    }
    assert spec["currency"] == "EUR" and spec["calendar"]["as_of"] is None
    assert questions(text) == []
    assert "zoe@b.fr" not in text and "Martin" not in text


def test_english_till_export_with_unit_prices_and_refunds(tmp_path):
    file = put(
        tmp_path,
        "online_retail.csv",
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,HOLDER,6,12/31/2010 08:26,£2.55,17850,United Kingdom\n"
        "C536379,D,Discount,-1,1/12/2010 09:41,£27.50,14527,United Kingdom\n",
    )
    spec, text = propose(file, country="GB", timezone="Europe/London")
    (entry,) = spec["files"]
    assert entry["columns"] == {
        "CustomerID": "source_id",
        "InvoiceNo": "order_id",
        "InvoiceDate": "ordered_at",
        "StockCode": "product_id",
        "Quantity": "quantity",
        "UnitPrice": "unit_price",
    }
    assert entry["date_format"] == "%m/%d/%Y %H:%M"
    assert entry["negative_amounts"] == "return"
    assert spec["currency"] == "GBP"
    assert '# not used: "Description", "Country"' in text
    path = new_dataset(name="mine", files=[file], root=tmp_path, country="GB")
    orders = read_files(spec=read_spec(path), root=tmp_path).tables["orders"].to_pandas()
    assert orders["amount"].tolist() == [15.3, -27.5]


def test_workbook_with_typed_dates_several_sheets_and_titles_above(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Clients"
    for row in (["Code client", "Nom", "Mail"], ["C1", "Martin", "a@b.fr"]):
        book.active.append(row)
    sales = book.create_sheet("Ventes")
    for row in (
        ["Journal des ventes 2025"],
        ["édité le 31/12/2025"],
        [],
        ["Code client", "Date", "Montant HT", "Etat"],
        ["C1", dt.date(2025, 12, 31), 10.5, "Livrée"],
        ["C1", dt.date(2025, 12, 30), 20, "Devis"],
        ["C1", dt.date(2025, 12, 29), 20, "Avoir"],
    ):
        sales.append(row)
    book.create_sheet("Vide")
    book.save(tmp_path / "boutique.xlsx")
    spec, text = propose(tmp_path / "boutique.xlsx")
    people, orders = spec["files"]
    assert (people["table"], people["sheet"]) == ("people", "Clients")
    assert (orders["table"], orders["sheet"], orders["header_row"]) == ("orders", "Ventes", 4)
    assert "date_format" not in orders
    assert orders["values"]["status"] == {"Avoir": "returned", "Livrée": "paid"}
    assert orders["skip_when"] == {"Etat": ["Devis"]}
    assert "sheet 'Vide': empty" in text


def test_excel_day_counts_in_a_csv(tmp_path):
    file = put(tmp_path, "ventes.csv", "client,date,montant\nC1,46022,5\nC2,45999,6\n")
    path = new_dataset(name="mine", files=[file], root=tmp_path)
    orders = read_files(spec=read_spec(path), root=tmp_path).tables["orders"].to_pandas()
    assert orders["ordered_at"].iloc[0] == pd.Timestamp("2025-12-31")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_decimal_commas_do_not_pass_for_separators(tmp_path, line_end):
    lines = ["client;date;montant", *(f"C{i};{i + 10}/01/2025;{i},50" for i in range(15)), "note;"]
    file = tmp_path / "ventes.csv"
    file.write_bytes(line_end.join(lines).encode())
    spec, text = propose(file)
    (entry,) = spec["files"]
    assert (entry["separator"], entry["decimal"]) == (";", ",")
    assert entry["date_format"] == "%d/%m/%Y"
    assert questions(text) == []
    path = new_dataset(name="mine", files=[file], root=tmp_path)
    assert read_files(spec=read_spec(path), root=tmp_path).tables["orders"].num_rows == 15


def test_decimal_comma_is_seen_among_rubbish(tmp_path):
    rows = "".join(f"C{i};2025-01-02;{i},50\n" for i in range(8)) + "C8;2025-01-02;à voir\n" * 2
    spec, _ = propose(put(tmp_path, "ventes.csv", "client;date;montant\n" + rows))
    assert spec["files"][0]["decimal"] == ","


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings(tmp_path, encoding):
    file = put(tmp_path, "v.csv", "Clé client;Date;Montant\nZoé;2025-01-02;5\n", encoding)
    spec, _ = propose(file)
    assert spec["files"][0]["encoding"] == encoding


# --- what remains to be said ------------------------------------------------------------------


def test_what_is_missing_is_marked_and_listed_at_the_top(tmp_path):
    file = put(tmp_path, "ventes.csv", "client,montant,quand\nC1,5,lundi\nC2,6,mardi\n")
    spec, text = propose(file)
    assert spec["files"][0]["columns"] == {"client": "source_id", "montant": "amount"}
    (asked,) = [line for line in questions(text) if "ordered_at" in line]
    assert 'add a line "their title": ordered_at under columns' in asked
    assert "#   1. ventes.csv" in text.split("name: mine")[0]
    assert '# not used: "quand"' in text
    path = tmp_path / "datasets" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match="nothing is read as ordered_at"):
        read_spec(path)


def test_ambiguous_days_and_unknown_codes_are_asked(tmp_path):
    file = put(
        tmp_path,
        "ventes.csv",
        "client,date,montant,statut\nC1,01/02/2025,5,Payée\nC2,03/04/2025,6,En cours\n",
    )
    spec, text = propose(file)
    assert spec["files"][0]["date_format"] == "%d/%m/%Y"
    asked = "\n".join(questions(text))
    assert "'date': day or month first?" in asked
    assert 'status: what does "En cours" mean?' in asked and "skip_when" in asked


def test_no_purchases_at_all(tmp_path):
    people = put(tmp_path, "clients.csv", "id,nom,email\n1,Martin,a@b.fr\n")
    other = put(tmp_path, "meteo.csv", "station,pluie\nLyon,3\n")
    spec, text = propose(people, other)
    assert [entry["table"] for entry in spec["files"]] == ["people"]
    assert any("orders" in line for line in questions(text))
    assert 'meteo.csv: no table recognised; its columns are "station", "pluie"' in text


def test_any_title_makes_valid_yaml(tmp_path):
    titles = ['client: "n°"', "# date", "{montant}", "- o'ui", "no", "tab\\t", "été ☀"]
    row = ",".join('"' + title.replace('"', '""') + '"' for title in titles)
    file = put(tmp_path, "ventes: #1.csv", f"{row}\nC1,2025-01-02,5,a,b,c,d\n")
    spec, text = propose(file)
    assert spec["files"][0]["file"] == "ventes: #1.csv"
    for title in titles:
        assert title in text.replace('\\"', '"').replace("\\\\", "\\")


# --- refusals ---------------------------------------------------------------------------------


def test_existing_dataset_is_not_overwritten(tmp_path):
    file = put(tmp_path, "ventes.csv", "client,date,montant\nC1,2025-01-02,5\n")
    path = new_dataset(name="mine", files=[file], root=tmp_path)
    before = path.read_bytes()
    with pytest.raises(DatasetError, match=r"datasets/mine\.yaml exists already"):
        new_dataset(name="mine", files=[file], root=tmp_path)
    path.unlink()
    with pytest.raises(DatasetError, match="data/incoming/mine exists already"):
        new_dataset(name="mine", files=[file], root=tmp_path)
    assert before and not path.exists()


@pytest.mark.parametrize("name", ["", "My Shop", "../x", "é", "-a", "1a"])
def test_name_must_be_a_slug(tmp_path, name):
    with pytest.raises(DatasetError, match="cannot name a dataset"):
        new_dataset(name=name, files=[], root=tmp_path)


def test_nothing_is_left_behind_when_a_file_cannot_be_opened(tmp_path):
    good = put(tmp_path, "ventes.csv", "client,date,montant\nC1,2025-01-02,5\n")
    for name, told in (
        ("vide.csv", "is empty"),
        ("x.xlsx", "is not a file of format excel"),
        ("a.pdf", "the ending does not tell the format"),
    ):
        bad = put(tmp_path, name, "" if name == "vide.csv" else "text,only\n1,2\n")
        with pytest.raises(DatasetError, match=told):
            new_dataset(name="mine", files=[good, bad], root=tmp_path / "p")
    with pytest.raises(DatasetError, match="no such file"):
        new_dataset(name="mine", files=[tmp_path / "none.csv"], root=tmp_path / "p")
    with pytest.raises(DatasetError, match="is a folder"):
        new_dataset(name="mine", files=[tmp_path], root=tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_built_in_worlds_need_no_check(tmp_path):
    assert check_spec(spec=read_spec(ROOT / "datasets" / "demo.yaml"), root=tmp_path).ok
