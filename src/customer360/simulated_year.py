"""A year of plans on a simulated world: what does learning from each month earn?

Every four weeks a policy plans its messages, the world answers by its law, and a policy that
learns weighs the answers before it plans again. Nothing true reaches a policy: the truth
answers, and counts what each message earned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.stats import t

from customer360.features.campaign_contacts import MOMENT_FEATURES
from customer360.features.contact_signals import NO_MESSAGE, contact_signals
from customer360.linkage.engine_tables import as_arrow, working_connection
from customer360.models.lessons import Lessons, best_contents, learn_lessons
from customer360.models.offer_scores import score_offers
from customer360.models.uplift import UpliftModel
from customer360.planning.plan import plan_problem
from customer360.planning.pressure import ContactRule, Patterns, make_patterns
from customer360.planning.problem import NO_MESSAGES, Limits, Messages, Problem
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.life import WEIGHT
from customer360.worlds.demo.messages import CHANNEL_NAMES, CONTENTS
from customer360.worlds.demo.truth import content_appeal

__all__ = [
    "PlainPolicy",
    "PlanPolicy",
    "Population",
    "compare_policies",
    "gather_population",
    "learning_gains",
    "simulate_year",
]

WEEKS = 4
_LAWS = Laws()
_FADES = float(np.exp(-7 / _LAWS.fatigue_days))
IN_TURN, FROZEN, LEARNING = "plan, contents in turn", "plan, lessons of the past", "plan, learning"


@dataclass(frozen=True)
class Population:
    """Customers as the brand sees them, and what is true of them.

    Parameters
    ----------
    moments : pandas.DataFrame
        From `describe_moments`: one row per customer.
    churn : numpy.ndarray, customers
        Probability to leave, as the model tells it.
    may : numpy.ndarray of bool, customers x arms
        Consent and an address for the arm's channel.
    arms : pandas.DataFrame
        From `offers_made`, with arrives (share of the channel's messages that do).
    added : numpy.ndarray, customers x arms
        True: orders that a message adds to somebody not tired, with the theme that appeals.
    appeal : numpy.ndarray, customers x contents
        True: factor of each theme and picture on that.
    push, coming, margin, revenue, redeems : numpy.ndarray, customers
        True: share of orders put off; orders of two weeks without a message; margin and
        revenue of an order, currency; share of orders coming anyway that use a coupon.
    """

    moments: pd.DataFrame
    churn: np.ndarray
    may: np.ndarray
    arms: pd.DataFrame
    added: np.ndarray
    appeal: np.ndarray
    push: np.ndarray
    coming: np.ndarray
    margin: np.ndarray
    revenue: np.ndarray
    redeems: np.ndarray

    def __len__(self) -> int:
        return len(self.coming)

    def draw(self, customers: int, *, seed: int) -> Population:
        """So many of them, at random, in the same order."""
        number = min(customers, len(self))
        rows = np.sort(np.random.default_rng(seed).choice(len(self), number, replace=False))
        columns = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "arms"}
        moments = columns.pop("moments").iloc[rows].reset_index(drop=True)
        return replace(self, moments=moments, **{n: v[rows] for n, v in columns.items()})


def gather_population(
    moments: pd.DataFrame,
    *,
    arms: pd.DataFrame,
    customers: Any,
    churn_scores: Any,
    person_of_customer: Any,
    uplift: Any,
    traits: Any,
    expectations: Any,
) -> Population:
    """Put beside each customer what is true of its person; one customer a person.

    Parameters
    ----------
    moments : pandas.DataFrame
        From `describe_moments`, on the last day.
    arms : pandas.DataFrame
        From `offers_made`, with arrives.
    customers, churn_scores : frame
        Contracts of these names.
    person_of_customer : frame
        customer_id, person_id.
    uplift, traits, expectations : frame
        Contracts `truth.uplift`, `truth.traits`, `truth.expectations`.

    Returns
    -------
    Population
        By customer_id.
    """
    with working_connection() as connection:
        for name, table in (
            ("moments", moments[["customer_id", "orders_before"]]), ("customers", customers),
            ("churn", churn_scores), ("person", person_of_customer), ("traits", traits),
            ("expected", expectations),
        ):  # fmt: skip
            connection.register(name, as_arrow(table))
        facts = connection.sql(
            f"""
            select customer_id, person_id, consent_email and reachable_email as email,
                   consent_sms and reachable_sms as sms, consent_phone and reachable_phone as phone,
                   consent_post and reachable_post as post, true as web,
                   coalesce(churn_probability, 0.5) as churn, push, margin_per_order, theme,
                   revenue_per_order,
                   {_LAWS.redeemed} + {_LAWS.redeemed_by_lovers} * promo_affinity as redeems,
                   case when alive then expected_transactions / horizon * 14 else 0 end as coming
            from moments join person using (customer_id) join customers using (customer_id)
                join traits using (person_id)
                join (select * from expected qualify as_of = max(as_of) over ()) using (person_id)
                left join churn using (customer_id)
            qualify row_number() over (
                partition by person_id order by orders_before desc, customer_id) = 1
            order by customer_id
            """
        ).df()
    effects = uplift if isinstance(uplift, pd.DataFrame) else uplift.df()
    wide = effects.set_index(["person_id", "channel"])
    effect = np.column_stack(
        [
            wide.xs(arm["channel"], level="channel")[f"effect_{arm['offer']}"]
            .reindex(facts["person_id"])
            .fillna(0)
            .to_numpy(float)
            for arm in arms.to_dict("records")
        ]
    )
    coming, push = facts["coming"].to_numpy(float), facts["push"].to_numpy(float)
    taken = (push * coming)[:, None] * (effect != 0)
    return Population(
        moments=moments.set_index("customer_id").loc[facts["customer_id"]].reset_index(),
        churn=facts["churn"].to_numpy(float),
        may=np.column_stack([facts[c].fillna(False).to_numpy(bool) for c in arms["channel"]]),
        arms=arms.reset_index(drop=True),
        added=np.clip(effect + taken, 0, 0.9),
        appeal=content_appeal(facts["theme"]),
        push=push,
        coming=coming,
        margin=facts["margin_per_order"].to_numpy(float),
        revenue=facts["revenue_per_order"].to_numpy(float),
        redeems=facts["redeems"].to_numpy(float),
    )


@dataclass(frozen=True)
class Month:
    """What came of the messages of four weeks: one entry per message planned."""

    customer: np.ndarray
    option: np.ndarray
    week: np.ndarray
    content: np.ndarray
    sent: np.ndarray
    orders: np.ndarray
    redeemed: np.ndarray


@dataclass(frozen=True)
class Room:
    """What a month leaves open: ways to fill the weeks of each customer, and the money."""

    channels: tuple[str, ...]
    patterns: Patterns
    state: np.ndarray
    admissible: np.ndarray
    budget: float
    seed: int


class Policy(Protocol):
    """Chooses messages and contents; may learn."""

    def plan(
        self, people: Population, moments: pd.DataFrame, room: Room
    ) -> tuple[Messages, np.ndarray | None]:
        """Messages of the month, and the number of each customer's content; None: in turn."""

    def learn(self, people: Population, moments: pd.DataFrame, month: Month) -> None:
        """Weigh what came of the month."""


@dataclass(frozen=True)
class PlainPolicy:
    """One message for those who score highest: no model of effects.

    Parameters
    ----------
    arm : int
    score : numpy.ndarray, customers
        Who comes first, while the budget lasts.
    monthly : bool
        Once in four weeks; otherwise as often as the contact rules allow.
    """

    arm: int
    score: np.ndarray
    monthly: bool = False

    def plan(
        self, people: Population, moments: pd.DataFrame, room: Room
    ) -> tuple[Messages, np.ndarray | None]:
        arm = people.arms.loc[self.arm]
        ways = room.patterns.channel
        sent = ways == room.channels.index(arm["channel"])
        count = np.where((ways == -1).sum(axis=1) + sent.sum(axis=1) == WEEKS, sent.sum(axis=1), -1)
        if self.monthly:
            count = np.where((count <= 1) & ~sent[:, 1:].any(axis=1), count, -1)
        # Of the ways that are open, the one with most messages.
        way = np.where(room.admissible, count, -1).argmax(axis=1)[room.state]
        first = np.argsort(-np.where(people.may[:, self.arm], self.score, -np.inf), kind="stable")
        cost = np.cumsum(count[way[first]]) * arm["cost"]
        served = first[(cost <= room.budget) & people.may[first, self.arm]]
        customer, week = np.nonzero(sent[way[served]])
        return Messages(np.full(len(week), self.arm), week, served[customer]), None

    def learn(self, people: Population, moments: pd.DataFrame, month: Month) -> None:
        pass


@dataclass
class PlanPolicy:
    """The project's plan: what each message should add by the response model, and the lessons.

    Parameters
    ----------
    model : UpliftModel
    fatigue_share : float
        Share of its effect that a message loses to each one a week before.
    least_uplift_orders : float
        See `models.offer_scores.quadrant`.
    lessons : Lessons, optional
        Without them contents go in turn.
    learns : bool
        Go on learning lessons, month by month.
    """

    model: UpliftModel
    fatigue_share: float
    least_uplift_orders: float
    lessons: Lessons | None = None
    learns: bool = False

    def plan(
        self, people: Population, moments: pd.DataFrame, room: Room
    ) -> tuple[Messages, np.ndarray | None]:
        margin, contents = self._weigh(people, moments)
        problem = Problem(
            margin=margin,
            cost=people.arms["cost"].to_numpy(np.float32)[:, None, None],
            goal=np.zeros(len(people.arms), dtype=np.int64),
            channel=np.array([room.channels.index(c) for c in people.arms["channel"]]),
            goals=("any",),
            channels=room.channels,
            patterns=room.patterns,
            state=room.state,
            admissible=room.admissible,
            limits=Limits(budget=room.budget),
        )
        return plan_problem(problem, explored=NO_MESSAGES, seed=room.seed)[0], contents

    def _weigh(
        self, people: Population, moments: pd.DataFrame
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Worth of each message (arms x weeks x customers, -inf: never), and contents."""
        contents, chosen = None, None
        if self.lessons is not None:
            chosen = best_contents(self.lessons, contact_signals(moments.assign(**NO_MESSAGE)))
            place = {content: number for number, content in enumerate(CONTENTS)}
            told = zip(chosen["theme"], chosen["image"], strict=True)
            contents = np.array([place[content] for content in told])
        scores = score_offers(
            moments,
            offers=people.arms.assign(tested=True),
            receptiveness=None,
            uplift=self.model,
            least_uplift_orders=self.least_uplift_orders,
            lessons=self.lessons,
            contents=chosen,
        )
        shape = (len(people.arms), len(people))
        gain = scores["expected_margin"].to_numpy().reshape(shape)
        cost = people.arms["cost"].to_numpy(float)[:, None]
        wait = (1 - self.fatigue_share) ** np.arange(WEEKS)[:, None, None]
        worth = np.where(gain > 0, gain * wait, gain) - cost
        margins = np.where(people.may.T[:, None], worth.swapaxes(0, 1), -np.inf)
        return margins.astype(np.float32), contents

    def learn(self, people: Population, moments: pd.DataFrame, month: Month) -> None:
        if not self.learns or self.lessons is None:
            return
        arms = people.arms.loc[month.option]
        met = _met(moments.loc[month.customer], arms)
        names = np.array(CONTENTS, dtype=object)[month.content]
        met = met.assign(theme=names[:, 0], image=names[:, 1])
        signals = contact_signals(met)
        answers = pd.DataFrame(
            {
                "treated": month.sent,
                "orders": month.orders,
                "redeemed": month.redeemed,
            }
        )
        self.lessons = learn_lessons(
            self.lessons,
            contacts=met.join(answers),
            signals=signals,
            told=self.model.parts(signals),
        )


def _met(moments: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """Customers and the arm that each meets, row by row."""
    named = {name: arms[name].to_numpy() for name in ("channel", "kind", "coupons", "depth")}
    return moments.reset_index(drop=True).assign(**named, taste=np.nan)


def simulate_year(
    people: Population,
    *,
    policy: Policy,
    rules: Sequence[ContactRule],
    budget: float,
    held_out_share: float = 0.0,
    explored_share: float = 0.0,
    months: int = 13,
    seed: int = 360,
) -> pd.DataFrame:
    """Let a policy act for a year of four-week months.

    Parameters
    ----------
    people : Population
    policy : Policy
    rules : sequence of ContactRule
    budget : float, currency a month
    held_out_share, explored_share : float
        Of the messages planned, so many are not sent, and so many of the others carry a
        content drawn at random. Both cost; learning pays for them.
    months : int
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row per month: month, messages, cost, margin (currency, truly caused, expected by
        the law, cost taken off).
    """
    rng = np.random.default_rng(seed)
    channels = tuple(sorted(people.arms["channel"].unique()))
    cost = people.arms["cost"].to_numpy(float)
    patterns = make_patterns(slot_days=range(0, 7 * WEEKS, 7), channels=channels, rules=rules)
    moments, tired = people.moments.reset_index(drop=True), np.zeros(len(people))
    log = np.full((0, len(people)), -1)
    rows = []
    for month in range(months):
        open_to = _states(log, patterns, rules=rules, channels=channels)
        room = Room(channels, patterns, *open_to, budget=budget, seed=seed)
        planned, contents = policy.plan(people, moments, room)
        content = _draw_contents(planned, contents, explored_share, rng)
        done, tired, earned = _answer(people, planned, content, tired, held_out_share, rng)
        rows.append(
            {
                "month": month + 1,
                "messages": int(done.sent.sum()),
                "cost": float(cost[done.option][done.sent].sum()),
                "margin": earned,
            }
        )
        policy.learn(people, moments, done)
        moments = _remember(moments, done, people.arms)
        log = np.vstack([log, _weeks(done, people.arms, channels, len(people))])
    return pd.DataFrame(rows)


def _states(
    log: np.ndarray, patterns: Patterns, *, rules: Sequence[ContactRule], channels: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """What the messages of the weeks before leave open."""
    room = np.zeros((log.shape[1], WEEKS, len(rules)), dtype=np.int64)
    for number, rule in enumerate(rules):
        counts = log >= 0 if rule.channel is None else log == _place(rule.channel, channels)
        for week in range(WEEKS):
            first = max(len(log) + week - (rule.window_days - 1) // 7, 0)
            room[:, week, number] = rule.at_most - counts[first:].sum(axis=0)
    distinct, state = np.unique(room.reshape(len(room), -1), axis=0, return_inverse=True)
    open_to = patterns.admissible(distinct.reshape(len(distinct), WEEKS, len(rules)))
    nothing = np.arange(len(patterns.channel))[None, :] == 0
    return state.ravel() + 1, np.concatenate([nothing, open_to])


def _place(channel: str, channels: Sequence[str]) -> int:
    return list(channels).index(channel) if channel in channels else -2


def _weeks(done: Month, arms: pd.DataFrame, channels: Sequence[str], customers: int) -> np.ndarray:
    """Channel of the message that each customer got in each week, -1 for none."""
    weeks = np.full((WEEKS, customers), -1)
    channel = np.array([_place(name, channels) for name in arms["channel"]])
    weeks[done.week[done.sent], done.customer[done.sent]] = channel[done.option[done.sent]]
    return weeks


def _draw_contents(
    planned: Messages, chosen: np.ndarray | None, explored_share: float, rng: np.random.Generator
) -> np.ndarray:
    drawn = rng.integers(0, len(CONTENTS), len(planned))
    if chosen is None:
        return drawn
    return np.where(rng.random(len(planned)) < explored_share, drawn, chosen[planned.customer])


def _answer(
    people: Population,
    planned: Messages,
    content: np.ndarray,
    tired: np.ndarray,
    held_out_share: float,
    rng: np.random.Generator,
) -> tuple[Month, np.ndarray, float]:
    """The world answers, week by week: what came back, how tired all are, margin truly caused."""
    arms, tired = people.arms, tired.copy()
    depth, cost, arrives = (arms[name].to_numpy(float) for name in ("depth", "cost", "arrives"))
    weigh = np.array(WEIGHT)[[CHANNEL_NAMES.index(c) for c in arms["channel"]]]
    # Orders of two weeks overlap with those of the message a week later, as they do in a shop.
    usual = rng.poisson(np.tile(people.coming / 2, (WEEKS + 1, 1)))
    order = np.lexsort([planned.customer, planned.slot])
    option, slot, customer = (column[order] for column in planned.columns)
    content, total, parts = content[order], 0.0, []
    sent = rng.random(len(order)) >= held_out_share
    for week in range(WEEKS):
        here = slot == week
        who, arm, goes = customer[here], option[here], sent[here]
        pull = people.added[who, arm] * people.appeal[who, content[here]]
        pull = np.clip(pull, 0, 0.9) * np.exp(-_LAWS.fatigue_effect * tired[who])
        push = people.push[who] * (people.added[who, arm] > 0)
        off, comes = depth[arm] * people.revenue[who], people.coming[who]
        gain = arrives[arm] * (
            pull * (people.margin[who] - off)
            - push * comes * people.margin[who]
            - off * people.redeems[who] * comes * (1 - push)
        )
        total += float((gain - cost[arm])[goes].sum())
        arrived = goes & (rng.random(len(who)) < arrives[arm])
        extra = arrived & (rng.random(len(who)) < pull)
        kept = rng.binomial(usual[week, who] + usual[week + 1, who], 1 - push * arrived)
        used = rng.binomial(kept, people.redeems[who] * (arrived & (depth[arm] > 0)))
        parts.append((kept + extra, used + extra * (depth[arm] > 0)))
        tired *= _FADES
        tired[who] += np.where(arrived, weigh[arm], 0.0)
    orders, redeemed = (np.concatenate(part).astype(float) for part in zip(*parts, strict=True))
    return Month(customer, option, slot, content, sent, orders, redeemed), tired, total


def _remember(moments: pd.DataFrame, done: Month, arms: pd.DataFrame) -> pd.DataFrame:
    """What the files say after the month; habits of buying and reading stay as they were."""
    n = len(moments)
    values = {name: moments[name].to_numpy(float).copy() for name in MOMENT_FEATURES}
    coupon = done.sent & (arms["depth"].to_numpy()[done.option] > 0)
    for week in range(WEEKS):
        values["fatigue"] *= np.exp(-7 / 21)
        values["days_since_contact"] += 7
        who = done.customer[done.sent & (done.week == week)]
        values["fatigue"][who] += 1
        values["days_since_contact"][who] = 7
    values["sent_before"] += np.bincount(done.customer[done.sent], minlength=n)
    values["coupon_chances"] += np.bincount(done.customer, done.orders * coupon, minlength=n)
    values["coupon_orders"] += np.bincount(done.customer, done.redeemed, minlength=n)
    return moments.assign(**values)


def compare_policies(
    people: Population,
    *,
    model: UpliftModel,
    lessons: Lessons,
    rules: Sequence[ContactRule],
    budget: float,
    fatigue_share: float,
    least_uplift_orders: float,
    customers: int,
    held_out_share: float,
    explored_share: float,
    seeds: Sequence[int],
    months: int = 13,
) -> pd.DataFrame:
    """The plan with and without learning, and plain policies, on the same customers and money.

    Parameters
    ----------
    people : Population
    model : UpliftModel
        What all plans know of effects.
    lessons : Lessons
        Of past contacts.
    rules, held_out_share, explored_share
        As `simulate_year` takes them; only the policy that learns holds out and explores.
    budget : float, currency
        Of four weeks and all customers; those drawn have their share of it.
    fatigue_share, least_uplift_orders : float
        See `PlanPolicy`.
    customers : int
        Drawn for each seed.
    seeds : sequence of int
    months : int
        Of four weeks.

    Returns
    -------
    pandas.DataFrame
        One row per seed, policy and month: as `simulate_year`, with seed and policy.
    """
    found = []
    for seed in seeds:
        some = people.draw(customers, seed=seed)
        given: dict[str, Any] = {
            "rules": rules,
            "budget": budget * len(some) / len(people),
            "months": months,
            "seed": seed,
        }
        plan: dict[str, Any] = {
            "model": model,
            "fatigue_share": fatigue_share,
            "least_uplift_orders": least_uplift_orders,
        }
        years: dict[str, Policy] = _plain_policies(some, model, seed=seed)
        years |= {IN_TURN: PlanPolicy(**plan), FROZEN: PlanPolicy(**plan, lessons=lessons)}
        for name, policy in years.items():
            year = simulate_year(some, policy=policy, **given)
            found.append(year.assign(policy=name, seed=seed))
        year = simulate_year(
            some,
            policy=PlanPolicy(**plan, lessons=lessons, learns=True),
            held_out_share=held_out_share,
            explored_share=explored_share,
            **given,
        )
        found.append(year.assign(policy=LEARNING, seed=seed))
    return pd.concat(found, ignore_index=True)


def _plain_policies(people: Population, model: UpliftModel, *, seed: int) -> dict[str, Policy]:
    """By the cheapest direct channel: everyone, risk and propensity first, by each offer."""
    arms = people.arms
    direct = arms[arms["channel"] != "web"]
    cheapest = direct[direct["cost"] == direct["cost"].min()]
    chance = np.random.default_rng(seed).random(len(people))
    found: dict[str, Policy] = {}
    for arm in cheapest.index:
        told = model.parts(contact_signals(_met(people.moments, arms.loc[[arm] * len(people)])))
        offer = arms.loc[arm, "offer"]
        likely = (told["without"] + told["pull"]).to_numpy()
        found |= {
            f"everyone weekly, {offer}": PlainPolicy(arm, chance),
            f"everyone monthly, {offer}": PlainPolicy(arm, chance, monthly=True),
            f"top churn risk, {offer}": PlainPolicy(arm, people.churn),
            f"top propensity, {offer}": PlainPolicy(arm, likely),
        }
    return found


def learning_gains(years: pd.DataFrame) -> dict[str, float]:
    """Margin of the plan that learns, as a multiple of the others'.

    Parameters
    ----------
    years : pandas.DataFrame
        From `compare_policies`.

    Returns
    -------
    dict of str to float
        learning_gain (over the plan with contents in turn), learning_gain_over_lessons (over
        the plan that knows the lessons of the past and learns no more),
        learning_gain_over_plain_policy (over the plain policy that is best of all in the
        seed), each the mean over seeds with _low and _high (95 %, Student).
    """
    earned = years.pivot_table(index="seed", columns="policy", values="margin", aggfunc="sum")
    plain = earned.drop(columns=[IN_TURN, FROZEN, LEARNING])
    rivals = {"": earned[IN_TURN], "_over_lessons": earned[FROZEN],
              "_over_plain_policy": plain.max(axis=1)}  # fmt: skip
    found: dict[str, float] = {}
    for name, rival in rivals.items():
        ratio = (earned[LEARNING] / rival).to_numpy()
        half = 0.0
        if len(ratio) > 1:
            half = t.ppf(0.975, len(ratio) - 1) * ratio.std(ddof=1) / np.sqrt(len(ratio))
        ends = {"": 0.0, "_low": -half, "_high": half}
        found |= {f"learning_gain{name}{end}": float(ratio.mean() + d) for end, d in ends.items()}
    return found
