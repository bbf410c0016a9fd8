"""The demo world keeps its contracts, repeats itself, and contains what it claims."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from asked import asking

from customer360.contracts import CONTRACTS, RAW_TABLES, arrow_schema, validate_batch
from customer360.worlds import demo, load
from customer360.worlds.demo import goods
from customer360.worlds.demo.text import ascii_fold, misheard, mistyped, segment_positions
from customer360.worlds.demo.traits import CYCLES

AS_OF = date(2025, 12, 31)
PEOPLE = 4_000


@pytest.fixture(scope="module")
def world():
    return demo.make(people=PEOPLE, seed=7, as_of=AS_OF)


@pytest.fixture(scope="module")
def ask(world):
    """Ask a question in SQL; `bought` holds the valid orders with their true person."""
    bought = """SELECT l.person_id, o.*
        FROM orders o JOIN true_people_links l USING (source, source_id)
        WHERE ordered_at < TIMESTAMP '2026-01-01' AND amount >= 0"""
    with asking(world, bought=bought) as connection:
        yield lambda query: connection.execute(query).fetchall()


# --- contracts and determinism ---


def test_every_raw_table_is_filled_and_keeps_its_contract(world):
    assert set(world.tables) == set(RAW_TABLES)
    for name, table in world.tables.items():
        contract = CONTRACTS[f"raw.{name}"]
        assert table.num_rows > 0, name
        assert table.schema == arrow_schema(contract), name
        validate_batch(contract, table)


def test_truth_keeps_its_contract_and_its_keys(world):
    for name, table in world.truth.items():
        contract = CONTRACTS[f"truth.{name}"]
        assert table.schema == arrow_schema(contract), name
        validate_batch(contract, table)
        if not contract.key:
            continue
        keys = table.select(list(contract.key)).group_by(list(contract.key)).aggregate([])
        assert keys.num_rows == table.num_rows, name


def test_no_column_is_empty_for_want_of_an_idea(world):
    for name, table in world.tables.items():
        empty = [c for c in table.column_names if table[c].null_count == table.num_rows]
        assert empty == [], name


def test_same_seed_same_tables_and_another_seed_others():
    first = demo.make(people=300, seed=1, as_of=AS_OF)
    again = demo.make(people=300, seed=1, as_of=AS_OF)
    other = demo.make(people=300, seed=2, as_of=AS_OF)
    for name, table in first.tables.items():
        assert table.equals(again.tables[name]), name
    for name, table in first.truth.items():
        assert table.equals(again.truth[name]), name
    for name in ("people", "orders", "contacts", "web_events"):
        assert not first.tables[name].equals(other.tables[name]), name


def test_small_worlds_of_any_length_can_be_made():
    for years in (2, 4):
        arrived = demo.make(people=100, seed=years, as_of=date(2024, 6, 30), years=years)
        assert arrived.truth["people"].num_rows == 100


def test_too_small_a_world_is_refused():
    with pytest.raises(ValueError, match="at least 100 people"):
        demo.make(people=10, seed=1, as_of=AS_OF)


def test_load_makes_the_demo(tmp_path):
    spec = {
        "name": "demo",
        "world": "demo",
        "calendar": {"as_of": "2025-12-31"},
        "options": {"people": 200, "seed": 3},
    }
    made = demo.make(people=200, seed=3, as_of=AS_OF)
    loaded = load(spec=spec, root=tmp_path)
    assert loaded.tables["orders"].equals(made.tables["orders"])
    with pytest.raises(ValueError, match="as_of is empty"):
        load(spec={**spec, "calendar": {"as_of": None}}, root=tmp_path)


# --- people and records ---


def test_every_record_has_exactly_one_person(ask):
    missing = "SELECT count(*) FROM people ANTI JOIN true_people_links USING (source, source_id)"
    assert ask(missing) == [(0,)]
    strangers = "SELECT count(*) FROM true_people_links ANTI JOIN true_people USING (person_id)"
    assert ask(strangers) == [(0,)]
    (known,) = ask("SELECT count(DISTINCT person_id) FROM true_people_links")[0]
    assert known == PEOPLE


def test_records_per_person_and_system(ask):
    (mean, most) = ask(
        "SELECT avg(n), max(n) FROM (SELECT count(*) AS n FROM true_people_links "
        "GROUP BY person_id)"
    )[0]
    assert 2.2 < mean < 2.8
    assert most <= 12
    systems = {source for (source,) in ask("SELECT DISTINCT source FROM people")}
    assert systems == {"crm", "till", "web", "newsletter", "callcentre", "sales_rep"}


def test_records_look_alike_without_being_equal(ask):
    """Among pairs of records of one person, most names agree loosely, many not exactly."""
    (exact, loose) = ask(
        """SELECT avg((a.last_name = b.last_name)::INT),
                  avg((lower(strip_accents(a.last_name)) = lower(strip_accents(b.last_name)))::INT)
        FROM (people JOIN true_people_links USING (source, source_id)) a
        JOIN (people JOIN true_people_links USING (source, source_id)) b
          ON a.person_id = b.person_id AND a.source < b.source"""
    )[0]
    assert 0.25 < exact < 0.75
    assert 0.78 < loose < 0.97


def test_identifiers_do_not_tell_who_is_whose_neighbour(ask):
    (correlation,) = ask(
        """SELECT corr(substr(source_id, 3)::INT, substr(person_id, 2)::INT)
        FROM true_people_links WHERE source = 'till'"""
    )[0]
    assert abs(correlation) < 0.1


def test_households_share_address_and_name(ask):
    (size, _homes) = ask(
        "SELECT count(*) / count(DISTINCT household_id), count(*) FROM true_people"
    )[0]
    assert 1.3 < size < 1.9
    (twins,) = ask(
        """SELECT count(*) FROM true_people a JOIN true_people b
        ON a.household_id = b.household_id AND a.birth_date = b.birth_date
        AND a.last_name = b.last_name AND a.person_id < b.person_id"""
    )[0]
    assert twins > 0


def test_missing_and_junk_values_are_there(ask):
    for junk in ("test@test.fr", "aucun@aucun.fr"):
        assert ask(f"SELECT count(*) FROM people WHERE lower(email) = '{junk}'")[0][0] > 0
    assert ask("SELECT count(*) FROM people WHERE phone = '0600000000'")[0][0] > 0
    assert ask("SELECT count(*) FROM people WHERE birth_date = DATE '1900-01-01'")[0][0] > 0


# --- purchases ---


def test_every_order_has_a_person(ask):
    (lost,) = ask(
        "SELECT count(*) FROM orders ANTI JOIN true_people_links USING (source, source_id) "
        "WHERE source_id IS NOT NULL"
    )[0]
    assert lost == 0


def test_orders_follow_the_record_they_are_filed_under(ask):
    (early,) = ask(
        "SELECT count(*) FROM orders JOIN people USING (source, source_id) "
        "WHERE ordered_at < created_at"
    )[0]
    assert early == 0


def test_orders_per_person_are_few_and_heavy_tailed(ask):
    per_person = "SELECT person_id, count(DISTINCT order_id) AS n FROM bought GROUP BY person_id"
    (orders, people, median, high) = ask(
        f"SELECT sum(n), count(*), median(n), quantile_cont(n, 0.99) FROM ({per_person})"
    )[0]
    assert 5.5 < orders / PEOPLE < 8.5
    assert 0.65 < people / PEOPLE < 0.80  # the others are prospects or left long ago
    assert high > 6 * median


def test_shops_sell_in_opening_hours_only(ask):
    rows = ask(
        """SELECT min(t.hour), max(t.hour), max(t.weekday) FROM (
            SELECT hour(ordered_at) AS hour, isodow(ordered_at) AS weekday
            FROM bought WHERE channel = 'store') t"""
    )
    # 9:30 to 19:30 in Paris is 7:30 to 18:30 UTC over the year; never on Sundays.
    (first, last, weekday) = rows[0]
    assert first >= 7 and last <= 18 and weekday <= 6


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("contacts", "at"),
        ("web_events", "at"),
        ("conversations", "at"),
        ("surveys", "at"),
        ("social", "at"),
        ("loyalty", "at"),
        ("life_events", "at"),
        ("sales_visits", "at"),
        ("campaigns", "started_at"),
        ("campaigns", "ended_at"),
    ],
)
def test_events_lie_within_the_three_years(world, table, column):
    bounds = pc.min_max(world.tables[table][column]).as_py()
    assert datetime(2023, 1, 1) <= bounds["min"] and bounds["max"] < datetime(2026, 1, 1)


def test_cyclic_customers_buy_in_their_window_year_after_year(ask):
    windows = " OR ".join(
        # Three days of grace: a purchase on a closed day moves to the nearest open one.
        f"strftime(ordered_at - INTERVAL 3 DAY, '%m-%d') BETWEEN '{_earlier(first)}' AND '{last}'"
        for first, last, _ in CYCLES.values()
    )
    (inside, people) = ask(
        f"""SELECT avg(({windows})::INT), count(DISTINCT person_id)
        FROM bought JOIN true_people USING (person_id) WHERE potential_class = 'cyclique'"""
    )[0]
    assert inside > 0.99
    (buyers,) = ask("SELECT count(DISTINCT person_id) FROM bought")[0]
    assert 0.05 < people / buyers < 0.11
    (fewest,) = ask(
        """SELECT min(n) FROM (SELECT count(DISTINCT year(ordered_at)) AS n
        FROM bought JOIN true_people USING (person_id)
        WHERE potential_class = 'cyclique' GROUP BY person_id)"""
    )[0]
    assert fewest >= 1  # two in truth; one of the orders may have been spoiled


def _earlier(month_day: str) -> str:
    day = np.datetime64(f"2025-{month_day}") - np.timedelta64(6, "D")
    return str(day)[5:]


def test_nobody_buys_after_leaving(ask):
    (late,) = ask(
        """SELECT count(*) FROM bought JOIN true_people USING (person_id)
        WHERE ordered_at > left_on + INTERVAL 3 DAY"""
    )[0]
    assert late == 0


def test_classes_are_all_there_in_sane_shares(ask):
    share = dict(
        ask(
            """SELECT potential_class, count(*) / sum(count(*)) OVER () FROM true_people
            WHERE potential_class IS NOT NULL GROUP BY 1"""
        )
    )
    assert set(share) == {"gros", "cyclique", "nouveau", "inactif", "ordinaire"}
    assert 0.30 < share["inactif"] < 0.50
    assert 0.01 < share["gros"] < 0.06
    assert 0.03 < share["nouveau"] < 0.09


def test_margins_differ_by_category(ask):
    margin = dict(
        ask("SELECT category, 1 - sum(quantity * unit_cost) / sum(amount) FROM bought GROUP BY 1")
    )
    assert set(margin) == {category.name for category in goods.CATEGORIES}
    assert margin["Décoration"] > 0.45
    assert margin["Petit électroménager"] < 0.28


def test_complements_meet_in_one_basket(ask):
    (together, apart) = ask(
        """WITH basket AS (SELECT source, order_id, list(DISTINCT category) AS c
                           FROM bought GROUP BY ALL HAVING count(DISTINCT category) > 1)
        SELECT avg(list_contains(c, 'Cuisine')::INT) FILTER (
                   list_contains(c, 'Petit électroménager')),
               avg(list_contains(c, 'Cuisine')::INT) FROM basket"""
    )[0]
    assert together > 1.5 * apart


def test_status_shares(ask):
    (returned, unpaid) = ask(
        "SELECT avg((status = 'returned')::INT), avg((status = 'unpaid')::INT) FROM orders"
    )[0]
    assert 0.02 < returned < 0.045
    assert 0.004 < unpaid < 0.015


# --- experience, service, web, campaigns ---


def test_words_follow_scores(ask):
    """Unhappy callers leave low scores: joined on the record, within the hour."""
    (unhappy, happy) = ask(
        """SELECT avg(score) FILTER (reason IN ('retard', 'casse', 'rupture')),
                  avg(score) FILTER (reason = 'remerciement')
        FROM conversations c JOIN surveys s ON c.source = s.source AND c.source_id = s.source_id
         AND s.kind = 'csat' AND s."at" BETWEEN c."at" AND c."at" + INTERVAL 1 HOUR"""
    )[0]
    assert unhappy < happy - 1


def test_texts_vary(world):
    texts = world.tables["conversations"]["text"]
    assert pc.count_distinct(texts).as_py() > 0.9 * len(texts)


def test_visitors_are_linked_and_some_devices_shared(ask):
    (lost,) = ask(
        "SELECT count(*) FROM web_events ANTI JOIN true_visitor_links USING (visitor_id)"
    )[0]
    assert lost == 0
    (shared,) = ask(
        "SELECT count(*) FROM (SELECT visitor_id FROM true_visitor_links "
        "GROUP BY 1 HAVING count(*) > 1)"
    )[0]
    assert shared > 10


def test_log_in_tells_the_right_account(ask):
    (wrong,) = ask(
        """SELECT count(*) FROM web_events w
        JOIN true_people_links l ON l.source = 'web' AND l.source_id = w.source_id
        ANTI JOIN true_visitor_links v ON v.visitor_id = w.visitor_id
                                      AND v.person_id = l.person_id"""
    )[0]
    assert wrong == 0
    (unknown,) = ask("SELECT count(*) FROM web_events WHERE kind = 'login' AND source_id IS NULL")[
        0
    ]
    assert unknown == 0


def test_hits_per_visitor(ask):
    (hits,) = ask(
        "SELECT count(*) / count(DISTINCT person_id) FROM web_events "
        "JOIN true_visitor_links USING (visitor_id)"
    )[0]
    assert 60 < hits < 110


def test_held_out_people_get_nothing_and_are_an_eighth(ask):
    (share, both) = ask(
        """SELECT avg(held::INT), sum((held AND reached)::INT) FROM (
            SELECT contact_id, bool_or(event = 'held_out') AS held,
                   bool_or(event <> 'held_out') AS reached
            FROM contacts GROUP BY contact_id)"""
    )[0]
    assert both == 0
    assert 0.11 < share < 0.16


def test_nobody_is_contacted_after_unsubscribing(ask):
    (after,) = ask(
        """SELECT count(*) FROM (contacts JOIN true_people_links USING (source, source_id)) c
        JOIN (contacts JOIN true_people_links USING (source, source_id)) u
          ON u.person_id = c.person_id AND u.channel = c.channel AND u.event = 'unsubscribed'
        WHERE c.event = 'sent' AND c."at" > u."at" """
    )[0]
    assert after == 0


def test_a_few_rows_are_spoiled(world, ask):
    rows = world.tables["orders"].num_rows
    (nameless, future, negative) = ask(
        """SELECT sum((source_id IS NULL)::INT),
                  sum((ordered_at >= TIMESTAMP '2026-01-01')::INT), sum((amount < 0)::INT)
        FROM orders"""
    )[0]
    keys = world.tables["orders"].group_by(["source", "order_id", "line_no"]).aggregate([])
    twice = rows - keys.num_rows
    assert min(nameless, future, negative, twice) > 0
    assert 0.001 < (nameless + future + negative + twice) / rows < 0.006


# --- tools ---


def test_slips_change_one_letter_and_keep_the_first():
    words = pa.array(["Dupont", "Martin", "Lefebvre", "Roy", None])
    slipped = mistyped(words, 1.0, np.random.default_rng(0)).to_pylist()
    assert slipped[3:] == ["Roy", None]
    for word, wrong in zip(words.to_pylist()[:3], slipped[:3], strict=True):
        assert wrong != word and wrong[0] == word[0] and abs(len(wrong) - len(word)) <= 1


def test_misheard_words_sound_alike():
    heard = misheard(pa.array(["Rousseau", "Philippe"]), 1.0, np.random.default_rng(0))
    assert heard.to_pylist() != ["Rousseau", "Philippe"]
    assert ascii_fold(pa.array(["Éloïse", None])).to_pylist() == ["Eloise", None]


def test_segment_positions():
    owner, rank = segment_positions(np.array([2, 0, 1]))
    assert owner.tolist() == [0, 0, 2] and rank.tolist() == [0, 1, 0]


# --- chunks -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def in_chunks(tmp_path_factory):
    """A world of two chunks, written; the same people as in memory."""
    patch = pytest.MonkeyPatch()
    patch.setattr(demo, "CHUNK_PEOPLE", 225)
    out = tmp_path_factory.mktemp("world") / "made"
    rows = demo.write(people=450, seed=5, as_of=AS_OF, out=out, years=2)
    again = demo.make(people=450, seed=5, as_of=AS_OF, years=2)
    patch.undo()
    return out, rows, again


def test_a_written_world_is_the_one_made_in_memory(in_chunks):
    out, rows, made = in_chunks
    for folder, tables in (("raw", made.tables), ("truth", made.truth)):
        assert {path.stem for path in (out / folder).iterdir()} == set(tables)
        for name, table in tables.items():
            assert pq.read_table(out / folder / f"{name}.parquet").equals(table), name
            assert rows[f"{folder}.{name}"] == table.num_rows


def test_chunks_share_nothing_but_campaigns_and_goods(in_chunks):
    _, _, made = in_chunks
    for name, table in {**made.tables, **made.truth}.items():
        contract = CONTRACTS[f"raw.{name}" if name in made.tables else f"truth.{name}"]
        if contract.key and name not in ("people", "orders", "contacts"):  # delivered twice
            keys = table.select(list(contract.key)).group_by(list(contract.key)).aggregate([])
            assert keys.num_rows == table.num_rows, name
    people = made.truth["people"]
    assert pc.count_distinct(people["person_id"]).as_py() == 450
    homes = people.group_by("household_id").aggregate([("person_id", "count")])
    assert pc.max(homes["person_id_count"]).as_py() <= 4


def test_a_world_replaces_a_world_and_nothing_else(tmp_path):
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(ValueError, match="holds other files"):
        demo.write(people=100, seed=1, as_of=AS_OF, out=tmp_path)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "keep"
    out = tmp_path / "world"
    told = []
    for seed in (1, 2):
        demo.write(people=100, seed=seed, as_of=AS_OF, out=out, years=2, tell=told.append)
    assert told[-1] == 100
    made = demo.make(people=100, seed=2, as_of=AS_OF, years=2)
    assert pq.read_table(out / "raw" / "orders.parquet").equals(made.tables["orders"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt", "world"]
