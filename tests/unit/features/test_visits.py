from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.features.visits import (
    WANTS,
    describe_hits,
    label_moments,
    learn_vocabulary,
)

START = pd.Timestamp("2025-03-03 09:00:00")
# visitor, minutes from the start, kind, page, category, referrer, account
HITS = [
    ("b", 0, "page", "produit", "Jardin", "google", None),
    ("a", 0, "page", "accueil", None, "direct", None),
    ("a", 1, "page", "produit", "Livres", None, None),
    ("a", 2, "cart", "panier", "Livres", None, None),
    ("a", 5 * 1440, "search", "recherche", "Jardin", "google", None),
    ("a", 5 * 1440 + 1, "login", "connexion", None, None, "U1"),
    ("a", 5 * 1440 + 2, "order", "commande", "Livres", None, "U1"),
    ("b", 20, "page", "produit", "Jardin", None, None),
]


def hits(rows=HITS) -> pd.DataFrame:
    names = ["visitor_id", "minutes", "kind", "page", "category", "referrer", "source_id"]
    table = pd.DataFrame(rows, columns=names)
    table["at"] = START + pd.to_timedelta(table.pop("minutes"), unit="min")
    return table.assign(device="mobile", query=None)


@pytest.fixture
def moments():
    table = hits()
    return describe_hits(table, vocabulary=learn_vocabulary(table), timezone="Europe/Paris")


def column(moments, name):
    return moments.features[:, moments.names.index(name)].tolist()


def test_hits_are_told_in_the_order_of_visitor_and_time(moments):
    assert moments.order.tolist() == [1, 2, 3, 4, 5, 6, 0, 7]
    assert moments.visitors.tolist() == ["a", "b"]
    assert moments.visit.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert moments.last.tolist() == [5, 7]


def test_each_hit_counts_those_of_its_visit_and_the_device_before(moments):
    assert column(moments, "visit_hits") == [1, 2, 3, 1, 2, 3, 1, 2]
    assert column(moments, "before_hits") == [0, 0, 0, 3, 3, 3, 0, 0]
    assert column(moments, "visit_carts") == [0, 0, 1, 0, 0, 0, 0, 0]
    assert column(moments, "recent_carts") == [0, 0, 1, 1, 1, 1, 0, 0]
    assert column(moments, "before_visits") == [0, 0, 0, 1, 1, 1, 0, 0]
    assert column(moments, "visit_page_produit") == [0, 1, 1, 0, 0, 0, 1, 2]
    assert column(moments, "from_google") == [0, 0, 0, 1, 1, 1, 1, 1]
    assert column(moments, "hour")[0] == 10


def test_the_days_since_something_are_empty_before_it(moments):
    since = column(moments, "days_since_visit")
    assert np.isnan(since[0]) and since[3] == pytest.approx(5 - 2 / 1440)
    assert np.isnan(column(moments, "days_since_order")[4])
    assert column(moments, "days_since_order")[5] == 0


def test_after_a_log_in_the_visitor_is_no_stranger(moments):
    assert moments.is_known.tolist() == [False] * 4 + [True] * 2 + [False] * 2


def test_what_speaks_for_a_category(moments):
    words = learn_vocabulary(hits())
    books = moments.wants[:, words.categories.index("Livres"), :]
    by_name = dict(zip(WANTS, books.T.tolist(), strict=True))
    assert by_name["visit_share"][:4] == [0, 1, 1, 0]
    assert by_name["in_cart"][:4] == [0, 0, 1, 0]
    assert by_name["last_seen"][:4] == [0, 1, 1, 0]
    assert by_name["recent_share"][3] == pytest.approx(2 / 3)


def test_labels_look_ahead_and_only_at_the_same_visitor(moments):
    told = label_moments(moments, horizon_days=7)
    assert told["buys_soon"].tolist() == [True] * 5 + [False] * 3
    assert told["buys_visit"].tolist() == [False] * 3 + [True] * 2 + [False] * 3
    assert not label_moments(moments, horizon_days=4)["buys_soon"].iloc[0]


def test_a_visitor_alone_is_described_as_among_others(moments):
    words = learn_vocabulary(hits())
    alone = describe_hits(
        hits([row for row in HITS if row[0] == "b"]), vocabulary=words, timezone="Europe/Paris"
    )
    np.testing.assert_array_equal(alone.features, moments.features[6:])
    np.testing.assert_array_equal(alone.wants, moments.wants[6:])


def test_later_hits_change_nothing_before_them(moments):
    early = hits().iloc[[0, 1, 2, 3]]
    before = describe_hits(early, vocabulary=learn_vocabulary(hits()), timezone="Europe/Paris")
    np.testing.assert_array_equal(before.features, moments.features[[0, 1, 2, 6]])


def test_no_hit_at_all_is_no_error():
    nothing = hits().head(0)
    told = describe_hits(nothing, vocabulary=learn_vocabulary(hits()), timezone="Europe/Paris")
    assert len(told.features) == 0 and told.last.tolist() == []
    assert label_moments(told, horizon_days=7).empty
