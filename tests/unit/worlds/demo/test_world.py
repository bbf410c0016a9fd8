"""A chunk, from people to tables: what the parts say of each other."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pytest

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds import demo
from customer360.worlds.demo.chunk import Chunk
from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.world import make_chunk, make_frame

AS_OF = date(2025, 12, 31)
CLOCK = make_clock(as_of=AS_OF, years=2)


@pytest.fixture(scope="module")
def frame():
    return make_frame(clock=CLOCK, laws=Laws(), seed=8)


@pytest.fixture(scope="module")
def chunks(frame):
    """Two chunks of one world."""
    return [
        make_chunk(
            people=800, seed=8, frame=frame, chunk=Chunk(index=i, count=2, first_person=800 * i)
        )
        for i in range(2)
    ]


@pytest.fixture(scope="module")
def ask(frame, chunks):
    """Ask the first chunk in SQL."""
    connection = duckdb.connect()
    tables, truth = chunks[0]
    for name, table in {**frame.tables, **tables}.items():
        connection.register(name, table)
    for name, table in truth.items():
        connection.register(f"true_{name}", table)
    connection.execute("CREATE VIEW event AS FROM contacts JOIN true_people_links "
                       "USING (source, source_id)")  # fmt: skip
    yield lambda query: connection.execute(query).fetchall()
    connection.close()


def test_every_table_keeps_its_contract(frame, chunks):
    tables, truth = chunks[0]
    for layer, made in (("raw", {**frame.tables, **tables}), ("truth", truth)):
        for name, table in made.items():
            assert table.schema == arrow_schema(CONTRACTS[f"{layer}.{name}"]), name


def test_chunks_share_no_identifier(chunks):
    (left, left_truth), (right, right_truth) = chunks
    for tables, others, name, column in (
        (left, right, "people", "source_id"),
        (left, right, "orders", "order_id"),
        (left, right, "contacts", "contact_id"),
        (left_truth, right_truth, "people", "person_id"),
        (left_truth, right_truth, "people", "household_id"),
        (left_truth, right_truth, "visitor_links", "visitor_id"),
    ):
        mine = set(tables[name][column].to_pylist()) - {None}
        assert mine and mine.isdisjoint(others[name][column].to_pylist()), column
    # And they are not the same people under other numbers.
    assert not left_truth["people"]["birth_date"].equals(right_truth["people"]["birth_date"])


def test_a_chunk_repeats_itself_whatever_was_made_before(frame, chunks):
    second = Chunk(index=1, count=2, first_person=800)
    tables, truth = make_chunk(people=800, seed=8, frame=frame, chunk=second)
    for again, first in zip((tables, truth), chunks[1], strict=True):
        assert all(again[name].equals(table) for name, table in first.items())


def test_goods_and_campaigns_do_not_depend_on_the_people(frame):
    again = make_frame(clock=CLOCK, laws=Laws(buyer_share=0.3), seed=8)
    for name, table in frame.tables.items():
        assert table.equals(again.tables[name]), name


# --- one part and another ---


def test_contacts_come_after_their_record_and_events_after_their_message(ask):
    (early,) = ask(
        "SELECT count(*) FROM contacts c JOIN people USING (source, source_id) "
        'WHERE c."at" < created_at'
    )[0]
    assert early == 0
    (before,) = ask(
        """SELECT count(*) FROM contacts c JOIN contacts s USING (contact_id)
        WHERE s.event = 'sent' AND c."at" < s."at" """
    )[0]
    assert before == 0
    (outside,) = ask(
        """SELECT count(*) FROM contacts c JOIN campaigns g USING (campaign_id, variant)
        WHERE c."at" < started_at OR (event = 'sent' AND c."at" > ended_at)
           OR c.channel <> g.channel"""
    )[0]
    assert outside == 0


def test_consents_shown_by_the_record_do_not_speak_against_the_message(ask):
    (against,) = ask(
        """SELECT count(*) FROM contacts c JOIN people USING (source, source_id)
        WHERE (c.channel IN ('email', 'social') AND NOT consent_email)
           OR (c.channel = 'sms' AND NOT consent_sms)
           OR (c.channel = 'phone' AND NOT consent_phone)
           OR (c.channel = 'post' AND NOT consent_post)"""
    )[0]
    assert against == 0


def test_coupons_are_known_open_and_in_the_hands_of_who_uses_them(ask):
    used = """(SELECT DISTINCT l.person_id, order_id, ordered_at, coupon_id, category
        FROM orders JOIN true_people_links l USING (source, source_id)
        WHERE coupon_id IS NOT NULL AND ordered_at < TIMESTAMP '2026-01-01')"""
    (orders,) = ask(f"SELECT count(DISTINCT order_id) FROM {used}")[0]
    assert orders > 50
    (unknown,) = ask(f"SELECT count(*) FROM {used} u ANTI JOIN offers o ON offer_id = coupon_id")[0]
    assert unknown == 0
    (wrong,) = ask(
        f"""SELECT count(*) FROM {used} u JOIN offers o ON offer_id = coupon_id
        WHERE ordered_at < valid_from OR ordered_at > valid_to OR o.category <> u.category"""
    )[0]
    assert wrong == 0
    (never_got,) = ask(
        f"""SELECT count(*) FROM {used} u ANTI JOIN (
            SELECT person_id, offer_id, e."at" FROM event e
            JOIN campaigns USING (campaign_id, variant) WHERE event = 'delivered') d
          ON d.person_id = u.person_id AND d.offer_id = u.coupon_id AND d."at" < u.ordered_at"""
    )[0]
    assert never_got == 0


def test_caused_orders_follow_the_delivery(ask):
    (caused, late) = ask(
        """SELECT count(*), count(*) FILTER (o.at_first <= d.came) FROM true_orders t
        JOIN (SELECT source, order_id, min(ordered_at) AS at_first FROM orders GROUP BY ALL) o
          USING (source, order_id)
        JOIN (SELECT person_id, campaign_id, max(e."at") AS came FROM event e
              WHERE event = 'delivered' GROUP BY ALL) d USING (person_id, campaign_id)"""
    )[0]
    (orders,) = ask("SELECT count(*) FROM true_orders")[0]
    assert orders == caused > 20 and late == 0


def test_factorial_campaigns_have_eight_variants_of_equal_size(ask):
    sizes = ask(
        """SELECT campaign_id, count(DISTINCT variant), min(n), max(n), sum(n) FROM (
            SELECT campaign_id, variant, count(DISTINCT contact_id) AS n
            FROM contacts GROUP BY ALL)
        GROUP BY 1 HAVING count(DISTINCT variant) = 8"""
    )
    assert len(sizes) == 2
    for _, variants, least, most, total in sizes:
        mean = total / variants
        assert max(most - mean, mean - least) < 4 * np.sqrt(mean)
        assert total > 200


def test_clicks_bring_visits(ask):
    (clicks, visited) = ask(
        """SELECT count(*), count(*) FILTER (EXISTS (
            SELECT 1 FROM web_events w JOIN true_visitor_links v USING (visitor_id)
            WHERE v.person_id = e.person_id
              AND w."at" BETWEEN e."at" AND e."at" + INTERVAL 5 MINUTE))
        FROM event e WHERE event = 'clicked' AND e.channel IN ('email', 'sms')"""
    )[0]
    assert clicks > 30 and visited > 0.9 * clicks


def test_orders_of_closed_days_and_nights_do_not_exist(ask):
    (night,) = ask(
        """SELECT count(*) FROM orders WHERE hour(timezone('Europe/Paris',
        timezone('UTC', ordered_at))) < 9"""
    )[0]
    assert night == 0


def test_laws_can_switch_everything_off():
    plain = Laws(seasons=False, cyclic_share=0, big_share=0, misfortune=0, campaigns=0)
    for years in (2, 4):
        made = demo.make(people=100, seed=3, as_of=date(2024, 2, 29), years=years, laws=plain)
        assert made.tables["contacts"].num_rows == made.truth["shocks"].num_rows == 0
        assert made.truth["campaigns"].num_rows == made.tables["offers"].num_rows == 0
        assert made.tables["orders"].num_rows > 0
        assert made.truth["traits"]["cycle"].null_count == 100
