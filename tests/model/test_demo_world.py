"""The demo world contains what `docs/demo_world.md` claims, by statistics on what it left."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from asked import asking
from scipy import stats
from scipy.optimize import minimize_scalar
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from customer360.models.btyd import fit_btyd
from customer360.worlds import demo
from customer360.worlds.demo.experience import Feelings
from customer360.worlds.demo.laws import Laws

AS_OF = date(2025, 12, 31)
FIRST = pd.Timestamp("2023-01-01")
LAWS = Laws()


@pytest.fixture(scope="module")
def world():
    return demo.make(people=20_000, seed=360, as_of=AS_OF)


@pytest.fixture(scope="module")
def people(world):
    """True people with their traits; days counted from the first day of the world."""
    people = world.truth["people"].to_pandas().merge(world.truth["traits"].to_pandas())
    for name in ("joined_on", "left_on"):
        people[name] = (pd.to_datetime(people[name]) - FIRST).dt.days
    return people


@pytest.fixture(scope="module")
def ask(world):
    bought = """SELECT l.person_id, o.order_id, any_value(o.ordered_at) AS ordered_at,
               sum(amount) FILTER (status = 'paid') AS amount,
               sum(amount - quantity * unit_cost) FILTER (status = 'paid') AS margin
        FROM (SELECT DISTINCT * FROM orders) o
        JOIN (SELECT DISTINCT * FROM true_people_links) l USING (source, source_id)
        WHERE ordered_at < TIMESTAMP '2026-01-01' GROUP BY ALL"""
    with asking(world, bought=bought) as connection:
        yield lambda query: connection.execute(query).df()


# --- buy till you die -------------------------------------------------------------------------


def test_pareto_nbd_parameters_are_recovered_where_its_assumptions_hold():
    """Rates and lifetimes are gamma mixtures: r, alpha, s, beta lie within their intervals."""
    laws = Laws(
        seasons=False, buyer_share=1.0, cyclic_share=0.0, big_share=0.0, misfortune=0.0,
        campaigns=0, known_before_share=0.0,
    )  # fmt: skip
    plain = demo.make(people=6_000, seed=11, as_of=AS_OF, laws=laws)
    orders = plain.tables["orders"].to_pandas().drop_duplicates("order_id")
    person = orders.merge(plain.truth["people_links"].to_pandas(), on=["source", "source_id"])
    person = person[person["ordered_at"] < "2026-01-01"]
    person["day"] = (person["ordered_at"] - FIRST).dt.total_seconds() / 86400
    summary = person.groupby("person_id")["day"].agg(["count", "min", "max"])
    summary = pd.DataFrame(
        {
            "frequency": summary["count"] - 1.0,
            "recency_days": summary["max"] - summary["min"],
            "T_days": 1096.0 - summary["min"],
        }
    )
    truth = {
        "r": laws.rate_shape,
        "alpha": laws.rate_shape / laws.rate_mean * 365.25 / 7,
        "s": laws.hazard_shape,
        "beta": laws.hazard_shape / laws.hazard_mean * 365.25 / 7,
    }
    rng = np.random.default_rng(0)
    fits = pd.DataFrame(
        [
            fit_btyd(
                summary.iloc[rng.integers(0, len(summary), len(summary))].reset_index(drop=True),
                model="pareto_nbd",
                time_unit_days=7,
            ).params
            for _ in range(12)
        ]
    )
    for name, value in truth.items():
        middle, spread = np.log(fits[name]).mean(), np.log(fits[name]).std()
        assert abs(np.log(value) - middle) < 3.5 * spread, (name, value, fits[name].describe())
        assert spread < 0.25, name  # an interval that excludes something


# --- experience drives leaving ----------------------------------------------------------------


def test_dissatisfaction_multiplies_the_hazard_of_leaving_as_stated(world, people):
    """Maximum likelihood of the log hazard ratio over all person-weeks at risk."""
    number = pd.Series(np.arange(len(people)), index=people["person_id"])
    shocks = world.truth["shocks"].to_pandas()
    felt = Feelings(
        person=number[shocks["person_id"]].to_numpy(),
        day=(pd.to_datetime(shocks["day"]) - FIRST).dt.days.to_numpy(),
        kind=np.zeros(len(shocks), dtype=int),
        level=shocks["dissatisfaction"].to_numpy(),
    )
    buyers = people[(people["purchase_rate"] > 0) & ~(people["left_on"] < 0)]
    week = np.arange(0, 1096, 7)
    person = np.repeat(buyers.index.to_numpy(), len(week))
    day = np.tile(week, len(buyers))
    joined, left = (people[name].to_numpy()[person] for name in ("joined_on", "left_on"))
    risk = (joined <= day) & ~(left < day)
    person, day, left = person[risk], day[risk], left[risk]
    state = felt.at(person, day - 1)
    base = people["leaving_hazard"].to_numpy()[person] * 7 / 365.25
    leaves = (left >= day) & (left < day + 7)

    def minus_log_likelihood(effect):
        hazard = base * np.exp(effect * state)
        return -(np.log(-np.expm1(-hazard[leaves])).sum() - hazard[~leaves].sum())

    best = minimize_scalar(minus_log_likelihood, bounds=(0, 2), method="bounded").x
    step = 0.02
    curve = [minus_log_likelihood(best + k * step) for k in (-1, 0, 1)]
    spread = 1 / np.sqrt((curve[0] - 2 * curve[1] + curve[2]) / step**2)
    assert abs(best - LAWS.leaving_effect) < 3.5 * spread, (best, spread)
    assert best > 5 * spread


def test_dissatisfied_customers_buy_cheaper(ask):
    """Trading down: the paid price level falls after a shock, for the same people."""
    change = ask(
        """WITH day AS (SELECT person_id, min(day) AS day FROM true_shocks
                        WHERE kind IN ('damaged', 'late') GROUP BY 1)
        SELECT avg(amount) FILTER (ordered_at::DATE < day) AS before,
               avg(amount) FILTER (ordered_at::DATE > day
                                   AND ordered_at::DATE < day + 120) AS after
        FROM bought JOIN day USING (person_id)"""
    ).iloc[0]
    assert change["after"] < change["before"]


# --- messages ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def contacts(ask):
    """Each contact with what its person bought in the two weeks that follow."""
    return ask(
        """WITH asked AS (
            SELECT c.contact_id, c.campaign_id, c.channel, event = 'held_out' AS held_out,
                   min("at" + INTERVAL 1 HOUR)::DATE AS day
            FROM contacts c WHERE event IN ('sent', 'held_out') GROUP BY ALL)
        SELECT asked.*, t.person_id, t.effect, t.fatigue, count(o.order_id) AS orders
        FROM asked JOIN true_contacts t USING (contact_id)
        LEFT JOIN bought o ON o.person_id = t.person_id
         AND o.ordered_at::DATE > asked.day AND o.ordered_at::DATE <= asked.day + 14
        GROUP BY ALL ORDER BY contact_id"""
    )


def test_held_out_groups_are_balanced(contacts, people):
    """Their number is binomial, and nothing about their people differs beyond chance."""
    known = contacts.merge(people, on="person_id")
    for column in ("purchase_rate", "promo_affinity", "spend_level", "leaving_hazard", "pull"):
        scores = []
        for _, one in known.groupby("campaign_id"):
            held, sent = one.loc[one["held_out"], column], one.loc[~one["held_out"], column]
            scores.append(stats.ttest_ind(held, sent, equal_var=False).statistic)
        assert len(scores) == LAWS.campaigns
        assert stats.chi2.sf(np.square(scores).sum(), len(scores)) > 1e-3, column
    for _, one in known.groupby("campaign_id"):
        share = 0.20 if one["held_out"].mean() > 0.16 else 0.12
        assert stats.binomtest(int(one["held_out"].sum()), len(one), share).pvalue > 1e-4


def test_true_effects_equal_the_difference_in_means(contacts):
    """By campaign, purchases of those written to minus those held out estimate the effect."""
    scores = []
    for _, one in contacts.groupby("campaign_id"):
        held, sent = one.loc[one["held_out"], "orders"], one.loc[~one["held_out"], "orders"]
        # Where few buy at all, a small group held out may show no variance: both are pooled.
        spread = one["orders"].std() * np.sqrt(1 / len(held) + 1 / len(sent))
        scores.append((sent.mean() - held.mean() - one["effect"].mean()) / spread)
    assert np.abs(scores).max() < 4
    assert abs(np.mean(scores)) < 3.5 / np.sqrt(len(scores))
    assert stats.chi2.sf(np.square(scores).sum(), len(scores)) > 1e-3


def test_sleeping_dogs_buy_less_and_persuadables_more(contacts, people):
    known = contacts.merge(people[["person_id", "response_kind"]], on="person_id")
    known = known[known["channel"] != "social"]
    means = known.groupby(["response_kind", "held_out"])["orders"].mean().unstack()
    lift = means[False] - means[True]
    assert lift["persuadable"] > 0.04
    assert lift["sleeping_dog"] < 0
    assert set(lift.index) == {"persuadable", "sure_thing", "lost_cause", "sleeping_dog"}
    true = known.groupby("response_kind")["effect"].mean()
    assert true["persuadable"] > 0.04 > 0.02 > true["lost_cause"] and true["sleeping_dog"] < 0


def test_social_ads_have_no_effect_and_messages_tire(contacts):
    assert (contacts.loc[contacts["channel"] == "social", "effect"] == 0).all()
    tired = contacts["fatigue"] > 0.7
    by_mail = contacts["channel"] == "email"
    assert tired[by_mail].mean() > 0.05
    pulled = contacts[by_mail & (contacts["effect"] > 0)]
    assert pulled.loc[tired, "effect"].mean() < pulled.loc[~tired, "effect"].mean()


def test_what_campaigns_caused_adds_up(ask):
    sums = ask(
        """SELECT (SELECT sum(caused_orders) FROM true_campaigns) AS caused,
                  (SELECT count(*) FROM true_orders) AS listed,
                  (SELECT sum(contacted) FROM true_campaigns) AS contacted,
                  (SELECT count(DISTINCT contact_id) FROM contacts WHERE event = 'sent') AS sent"""
    ).iloc[0]
    assert sums["caused"] == sums["listed"]
    assert sums["contacted"] == sums["sent"]


# --- words ------------------------------------------------------------------------------------


def test_text_predicts_dissatisfaction_better_than_chance_and_far_from_perfectly(ask):
    talks = ask(
        """SELECT text, dissatisfied FROM conversations
        JOIN true_conversations USING (source, source_id, "at") ORDER BY ALL"""
    )
    rows = np.random.default_rng(1).permutation(len(talks))
    learn, judge = talks.iloc[rows[: len(rows) // 2]], talks.iloc[rows[len(rows) // 2 :]]
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True)
    model = LogisticRegression(C=3.0, max_iter=400)
    model.fit(words.fit_transform(learn["text"]), learn["dissatisfied"])
    score = model.predict_proba(words.transform(judge["text"]))[:, 1]
    assert 0.75 < roc_auc_score(judge["dissatisfied"], score) < 0.97


# --- the future under the true parameters -----------------------------------------------------


@pytest.fixture(scope="module")
def futures(ask):
    """A year before the end: what was expected, and what came."""
    return ask(
        """WITH came AS (
            SELECT person_id, count(*) AS orders, sum(amount) AS revenue, sum(margin) AS margin
            FROM bought WHERE ordered_at >= TIMESTAMP '2025-01-01' GROUP BY 1)
        SELECT e.*, p.left_on IS NOT NULL AND p.left_on > e.as_of AS left,
               coalesce(c.orders, 0) AS orders, coalesce(c.revenue, 0) AS revenue,
               coalesce(c.margin, 0) AS margin
        FROM true_expectations e JOIN true_people p USING (person_id)
        LEFT JOIN came c USING (person_id)
        WHERE alive AND as_of = DATE '2024-12-31' ORDER BY person_id"""
    )


def test_expectations_meet_what_came(futures):
    for expected, came, tolerance in (
        ("expected_transactions", "orders", 0.03),
        ("expected_revenue", "revenue", 0.05),
        ("expected_margin", "margin", 0.05),
    ):
        assert futures[expected].sum() == pytest.approx(futures[came].sum(), rel=tolerance)


def test_chances_are_calibrated(futures):
    for chance, happened in (
        ("p_no_purchase", futures["orders"] == 0),
        ("p_leave", futures["left"]),
    ):
        group = pd.qcut(futures[chance].rank(method="first"), 10, labels=False)
        predicted = futures.groupby(group)[chance].mean()
        observed = happened.astype(float).groupby(group).mean()
        assert (predicted - observed).abs().max() < 0.05, (chance, predicted, observed)


def test_some_customers_cost_more_than_they_bring(world):
    last = world.truth["expectations"].to_pandas()
    last = last[last["alive"] & (last["as_of"] == last["as_of"].max())]
    worth = last["expected_margin"] - last["expected_cost"]
    assert 0.005 < (worth < 0).mean() < 0.20
