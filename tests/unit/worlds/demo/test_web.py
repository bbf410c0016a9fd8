from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from customer360.contracts import CONTRACTS, LIFE_EVENTS, validate_batch
from customer360.worlds.demo import goods
from customer360.worlds.demo.chunk import Chunk
from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.milestones import Milestones, draw_milestones
from customer360.worlds.demo.people import NEVER, make_people
from customer360.worlds.demo.text import concat, digits
from customer360.worlds.demo.traits import TILL, WEB
from customer360.worlds.demo.web import REFERRERS, make_social, make_web

PEOPLE = 1_500
CATEGORIES = len(goods.CATEGORIES)


class Accounts:
    """Every second person has a web account, numbered as the person."""

    def at(self, person, system, day):
        return np.where(person % 2 == 0, person, -1)

    def source_ids(self, row):
        numbers = concat("U", digits(np.arange(1, PEOPLE + 1), 7))
        return numbers.take(pa.array(row, mask=np.asarray(row) < 0))


@pytest.fixture(scope="module")
def clock():
    return make_clock(as_of=date(2025, 12, 31), years=3)


@pytest.fixture(scope="module")
def world(clock):
    """Arguments of both functions: people, some of whom buy, some of whom never look."""
    rng = np.random.default_rng(1)
    people = make_people(people=PEOPLE, clock=clock, rng=rng)
    buyer = rng.random(PEOPLE) < 0.8
    # The last fifth never comes to the site of its own accord.
    digital = np.where(np.arange(PEOPLE) < 0.8 * PEOPLE, rng.gamma(1.2, 0.8, PEOPLE), 0.0)
    traits = SimpleNamespace(
        digital=digital,
        buyer=buyer,
        join_day=rng.integers(-400, 300, PEOPLE),
        taste=rng.dirichlet(np.ones(CATEGORIES), PEOPLE),
    )
    person = np.repeat(np.flatnonzero(buyer), 7)
    n = len(person)
    has_account = person % 2 == 0
    orders = pd.DataFrame(
        {
            "person": person,
            "day": rng.integers(300, clock.days, n),
            "minute": 600 + 600 * rng.random(n),
            "system": np.where(has_account & (rng.random(n) < 0.5), WEB, TILL),
            "category": rng.integers(0, CATEGORIES, n),
        }
    ).sort_values("day", ignore_index=True)
    clicks = pd.DataFrame(
        {
            "person": rng.integers(0, PEOPLE, 300),
            "day": rng.integers(0, clock.days, 300),
            "minute": 500 + 700 * rng.random(300),
            "referrer": rng.integers(5, len(REFERRERS), 300),
        }
    )
    return {
        "people": people,
        "traits": traits,
        "records": Accounts(),
        "milestones": draw_milestones(people=people, clock=clock, rng=rng),
        "orders": orders,
        "clicks": clicks,
        "leave_day": np.full(PEOPLE, NEVER),
        "clock": clock,
    }


@pytest.fixture(scope="module")
def web(world):
    return make_web(**world, rng=np.random.default_rng(2))


@pytest.fixture(scope="module")
def ask(world, web, clock):
    """SQL over hits, links, true purchases and `visits`, those of one person's device."""
    orders = world["orders"]
    connection = duckdb.connect()
    connection.register("hits", web.events)
    connection.register("links", web.visitor_links)
    bought = pa.table(
        {
            "person_id": world["people"].ids.take(pa.array(orders["person"])),
            "bought_at": clock.at(orders["day"].to_numpy(), orders["minute"].to_numpy()),
            "online": pa.array(orders["system"] == WEB),
        }
    )
    connection.register("bought", bought)
    connection.execute(
        """CREATE TABLE visits AS
        WITH own AS (SELECT any_value(person_id) AS person_id, visitor_id FROM links
                     GROUP BY visitor_id HAVING count(*) = 1),
        started AS (
            SELECT *, ("at" - lag("at") OVER w > INTERVAL 15 MINUTE OR lag("at") OVER w IS NULL)
                   ::INT AS new
            FROM hits JOIN own USING (visitor_id)
            WINDOW w AS (PARTITION BY visitor_id ORDER BY "at")),
        numbered AS (
            SELECT *, sum(new) OVER (PARTITION BY visitor_id ORDER BY "at") AS visit FROM started)
        SELECT visitor_id, person_id, visit, min("at") AS came_at, max("at") AS went_at,
               count(*) AS hits, sum((page = 'produit')::INT) AS products,
               sum((kind = 'search')::INT) AS searches, sum((kind = 'cart')::INT) AS carts,
               sum((kind = 'order')::INT) AS orders, max(source_id) AS account,
               max(referrer) AS referrer
        FROM numbered GROUP BY ALL"""
    )
    yield lambda query: connection.execute(query).fetchall()
    connection.close()


def test_tables_keep_their_contracts(web):
    validate_batch(CONTRACTS["raw.web_events"], web.events)
    validate_batch(CONTRACTS["truth.visitor_links"], web.visitor_links)
    keys = web.visitor_links.group_by(["visitor_id", "person_id"]).aggregate([])
    assert keys.num_rows == web.visitor_links.num_rows


def test_each_visit_has_its_person(web):
    validate_batch(CONTRACTS["truth.visits"], web.visits)
    with duckdb.connect() as connection:
        for name, table in vars(web).items():
            connection.register(name, table)
        used, seen, logged = connection.execute(
            """SELECT
            (SELECT count(*) FROM (SELECT DISTINCT visitor_id, person_id FROM visits)
             SEMI JOIN visitor_links USING (visitor_id, person_id)),
            (SELECT count(*) FROM visits v SEMI JOIN events e
             ON e.visitor_id = v.visitor_id AND e."at" = v."at"),
            (SELECT count(*) FROM events WHERE referrer IS NOT NULL)"""
        ).fetchall()[0]
    assert used == web.visitor_links.num_rows
    # Each visit begins with a hit, the only one that carries a referrer.
    assert seen == web.visits.num_rows == logged


def test_same_seed_same_bytes_and_inputs_untouched(world, web):
    before = world["orders"].copy(), world["clicks"].copy()
    again = make_web(**world, rng=np.random.default_rng(2))
    assert again.events.equals(web.events) and again.visitor_links.equals(web.visitor_links)
    pd.testing.assert_frame_equal(world["orders"], before[0])
    pd.testing.assert_frame_equal(world["clicks"], before[1])
    other = make_web(**world, rng=np.random.default_rng(3))
    assert not other.events.equals(web.events)


def test_about_sixty_hits_a_person(web):
    assert 45 < web.events.num_rows / PEOPLE < 110


def test_every_visitor_is_linked_and_some_devices_are_shared(ask):
    assert ask("SELECT count(*) FROM hits ANTI JOIN links USING (visitor_id)") == [(0,)]
    shared = "SELECT visitor_id FROM links GROUP BY 1 HAVING count(*) > 1"
    (count,) = ask(f"SELECT count(*) FROM ({shared})")[0]
    assert count > 20
    devices = f"SELECT DISTINCT device FROM hits JOIN ({shared}) USING (visitor_id)"
    assert ask(devices) == [("tablet",)]


def test_a_shared_device_stays_in_the_household(world, ask):
    household = dict(
        zip(world["people"].ids.to_pylist(), world["people"].household.tolist(), strict=True)
    )
    homes: dict[str, set[int]] = {}
    for visitor, person in ask("SELECT visitor_id, person_id FROM links"):
        homes.setdefault(visitor, set()).add(household[person])
    assert all(len(found) == 1 for found in homes.values())


def test_people_have_several_devices_and_cookies(ask):
    (visitors, people) = ask("SELECT count(*), count(DISTINCT person_id) FROM links")[0]
    assert 2 < visitors / people < 8
    (longest,) = ask(
        """SELECT max(went - came) FROM (SELECT min("at") AS came, max("at") AS went
        FROM hits GROUP BY visitor_id)"""
    )[0]
    assert longest.days <= 395


def test_a_log_in_carries_the_account_of_the_right_person(ask):
    (wrong,) = ask(
        """SELECT count(*) FROM hits ANTI JOIN links
        ON links.visitor_id = hits.visitor_id AND substr(person_id, 2) = substr(source_id, 2)
        WHERE source_id IS NOT NULL"""
    )[0]
    assert wrong == 0
    (nameless,) = ask("SELECT count(*) FROM hits WHERE kind = 'login' AND source_id IS NULL")[0]
    assert nameless == 0


def test_only_some_visits_log_in_and_only_from_then_on(ask):
    (share,) = ask("SELECT avg((account IS NOT NULL)::INT) FROM visits WHERE orders = 0")[0]
    assert 0.03 < share < 0.2
    (early,) = ask(
        """SELECT count(*) FROM hits a JOIN hits b ON a.visitor_id = b.visitor_id
        AND a.source_id IS NOT NULL AND a.kind <> 'login' AND b.kind = 'login'
        AND a."at" < b."at" AND b."at" - a."at" < INTERVAL 1 MINUTE"""
    )[0]
    assert early == 0


def test_an_order_online_ends_a_visit_with_a_cart(world, web, clock):
    events = web.events.to_pandas()
    rows = np.flatnonzero(events["kind"] == "order")
    online = world["orders"][world["orders"]["system"] == WEB]
    assert len(rows) == len(online)
    moments = clock.at(online["day"].to_numpy(), online["minute"].to_numpy())
    assert np.array_equal(np.sort(events["at"].to_numpy()[rows]), np.sort(moments))
    assert (events["kind"].to_numpy()[rows - 1] == "cart").all()
    wanted = np.array(goods.CATEGORY_NAMES)[online["category"]]
    seen = events["category"].to_numpy()[rows]
    by_time = np.argsort(events["at"].to_numpy()[rows], kind="stable")
    order = np.argsort(moments, kind="stable")
    assert np.mean(seen[by_time] == wanted[order]) > 0.85


def test_visits_before_a_purchase_are_more_and_deeper_but_not_all(ask):
    near = """SELECT v.*, EXISTS (SELECT 1 FROM bought b WHERE b.person_id = v.person_id
              AND b.bought_at > went_at AND b.bought_at < went_at + INTERVAL 7 DAY) AS soon
              FROM visits v WHERE orders = 0"""
    rows = ask(
        f"""SELECT soon, avg(products), avg(searches), avg((carts > 0)::INT),
                   avg((hits = 1)::INT), avg((hits >= 6)::INT)
        FROM ({near}) GROUP BY soon"""
    )
    apart = {row[0]: row[1:] for row in rows}
    for depth in range(3):
        assert apart[True][depth] > 1.3 * apart[False][depth]
    assert apart[True][3] < 0.75 * apart[False][3]
    # Not perfectly: glances before a purchase, deep visits that lead to nothing.
    assert apart[True][3] > 0.05 and apart[False][4] > 0.05


def test_purchases_in_shops_are_prepared_on_the_site(ask):
    """More visits in the week before a purchase in a shop than in the week before that."""
    (near, far) = ask(
        """SELECT count(*) FILTER (bought_at - went_at < INTERVAL 7 DAY),
                  count(*) FILTER (bought_at - went_at >= INTERVAL 14 DAY)
        FROM bought JOIN visits USING (person_id)
        WHERE NOT online AND orders = 0 AND went_at < bought_at
          AND went_at > bought_at - INTERVAL 21 DAY"""
    )[0]
    assert near > 1.3 * far


def test_visits_follow_clicks_in_messages_only(world, web):
    seen = web.events["referrer"].value_counts().to_pylist()
    counts = {row["values"]: row["counts"] for row in seen}
    names = world["clicks"]["referrer"].map(dict(enumerate(REFERRERS)))
    for name, clicked in names.value_counts().items():
        assert counts[name] == clicked
    assert counts["google"] > counts["comparateur"] > 0


def test_a_click_without_referrer_comes_from_the_newsletter(world):
    plain = {**world, "clicks": world["clicks"].drop(columns="referrer")}
    events = make_web(**plain, rng=np.random.default_rng(2)).events
    from_mail = pc.sum(pc.equal(events["referrer"], "newsletter")).as_py()
    assert from_mail == len(world["clicks"])


def test_people_without_interest_come_only_to_buy_or_by_a_click(world, ask):
    lazy = [f"'{one}'" for one in world["people"].ids.to_pylist()[int(0.8 * PEOPLE) :]]
    (others,) = ask(
        f"""SELECT count(*) FROM visits WHERE person_id IN ({",".join(lazy)})
        AND orders = 0 AND referrer NOT IN ('newsletter', 'sms', 'social_ad', 'banner')"""
    )[0]
    assert others == 0


def test_searches_betray_an_event_of_life(world, clock):
    """An expectant home looks for baby things before it buys anything."""
    days = np.full((PEOPLE, len(LIFE_EVENTS)), NEVER)
    days[: PEOPLE // 2, 0] = 800
    parents = Milestones(day=days, declared=np.zeros(days.shape, dtype=bool))
    nobody = world["orders"].iloc[:0]
    made = make_web(
        **{**world, "milestones": parents, "orders": nobody, "clicks": world["clicks"].iloc[:0]},
        rng=np.random.default_rng(2),
    )
    hits = made.events.to_pandas()
    link = made.visitor_links.to_pandas().drop_duplicates("visitor_id").set_index("visitor_id")
    person = hits["visitor_id"].map(link["person_id"]).str[1:].astype(int) - 1
    first = clock.dates[800 - 120]
    window = hits["at"].between(first, first + np.timedelta64(520, "D")) & (person < PEOPLE // 2)
    telling = hits["query"].isin(goods.EVENT_SEARCHES["birth"])
    asked = hits["kind"] == "search"
    assert telling[asked & window].mean() > 0.25
    assert 0 < telling[asked & ~window].mean() < 0.02
    baby = hits["category"] == "Puériculture"
    assert baby[window].mean() > 2 * baby[~window].mean()


def test_visitors_of_two_chunks_never_meet(world):
    seen = [
        pc.unique(
            make_web(
                **world, rng=np.random.default_rng(seed), chunk=Chunk(index=index, count=2)
            ).events["visitor_id"]
        )
        for index, seed in enumerate((2, 3))
    ]
    assert not pc.any(pc.is_in(seen[0], value_set=seen[1])).as_py()


def test_a_world_without_purchases_or_clicks_still_browses(world):
    quiet = {**world, "orders": world["orders"].iloc[:0], "clicks": world["clicks"].iloc[:0]}
    events = make_web(**quiet, rng=np.random.default_rng(2)).events
    assert events.num_rows > 10 * PEOPLE
    assert "order" not in pc.unique(events["kind"]).to_pylist()
    assert pc.sum(pc.equal(events["kind"], "cart")).as_py() > 100  # abandoned


# --- social networks ---


@pytest.fixture(scope="module")
def social(world):
    return _social(world, Chunk())


def _social(world, chunk: Chunk) -> pa.Table:
    return make_social(
        people=world["people"],
        traits=world["traits"],
        records=world["records"],
        clock=world["clock"],
        rng=np.random.default_rng(4),
        chunk=chunk,
    )


def test_a_follow_comes_first_and_once(social):
    validate_batch(CONTRACTS["raw.social"], social)
    frame = social.to_pandas().sort_values("at", kind="stable")
    by_handle = frame.groupby("handle")
    assert (by_handle["kind"].first() == "follow").all()
    assert (frame["kind"] == "follow").sum() == by_handle.ngroups > 50
    assert {"like", "mention", "share"} < set(frame["kind"])
    assert (by_handle["network"].nunique() == 1).all()


def test_some_handles_log_in_with_their_network(social):
    frame = social.to_pandas()
    accounts = frame.groupby("handle")["source_id"].nunique()
    assert 0.05 < (accounts == 1).mean() < 0.3 and accounts.max() == 1
    assert (frame.groupby("source_id")["handle"].nunique() == 1).all()


def test_handles_of_two_chunks_never_meet(world):
    first, second = (set(_social(world, Chunk(i, 2))["handle"].to_pylist()) for i in (0, 1))
    assert first and not first & second
