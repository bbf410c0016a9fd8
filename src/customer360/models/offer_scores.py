"""Every customer with every offer and channel: chance to order, effect and margin of a contact."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from customer360.features.contact_signals import NO_MESSAGE, contact_signals, with_offer
from customer360.models.lessons import Lessons
from customer360.models.receptiveness import ReceptivenessModel
from customer360.models.uplift import UpliftModel

__all__ = ["order_value", "quadrant", "score_offers"]

# So many orders of the average customer are added to each one's own.
VALUE_PRIOR_ORDERS = 3.0
DECIMALS = 5


def order_value(moments: pd.DataFrame) -> pd.DataFrame:
    """Amount and margin of an order of each customer, pulled to the average while few.

    Parameters
    ----------
    moments : pandas.DataFrame
        From `features.campaign_contacts.describe_moments`.

    Returns
    -------
    pandas.DataFrame
        On the same index: amount and margin, currency an order.
    """
    orders = moments["orders_before"].to_numpy(float)
    columns = {}
    for name in ("amount", "margin"):
        own = moments[f"order_{name}"].fillna(0.0).to_numpy(float) * orders
        usual = own.sum() / max(orders.sum(), 1.0)
        columns[name] = (own + VALUE_PRIOR_ORDERS * usual) / (orders + VALUE_PRIOR_ORDERS)
    return pd.DataFrame(columns, index=moments.index)


def quadrant(
    uplift: np.ndarray, expected_orders: np.ndarray, *, least_uplift_orders: float
) -> np.ndarray:
    """The four kinds of customer, seen from one message.

    Parameters
    ----------
    uplift : array of float, orders
    expected_orders : array of float, orders without a message
    least_uplift_orders : float
        Effects smaller than this, either way, count as none.

    Returns
    -------
    numpy.ndarray of str
        persuadable (more orders), sleeping_dog (fewer), and of those whom it leaves as they
        are sure_thing (at least as many orders as the average) and lost_cause.
    """
    often = expected_orders >= expected_orders.mean() if len(expected_orders) else uplift > 0
    kinds = np.where(often, "sure_thing", "lost_cause").astype(object)
    kinds[uplift >= least_uplift_orders] = "persuadable"
    kinds[uplift <= -least_uplift_orders] = "sleeping_dog"
    return kinds


def score_offers(
    moments: pd.DataFrame,
    *,
    offers: pd.DataFrame,
    receptiveness: ReceptivenessModel | None,
    uplift: UpliftModel | None,
    least_uplift_orders: float,
    lessons: Lessons | None = None,
    contents: pd.DataFrame | None = None,
    confirmed: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Score each customer with each channel and offer.

    Parameters
    ----------
    moments : pandas.DataFrame
        From `describe_moments`, one row per customer_id, the day after `as_of`.
    offers : pandas.DataFrame
        From `offers_made`: channel, offer, kind, coupons, depth and min_margin (shares), tested.
    receptiveness : ReceptivenessModel, optional
        Of an order within the two weeks; without it propensity stays empty.
    uplift : UpliftModel, optional
        Without it, and on channels where nothing was held out, effects stay empty.
    least_uplift_orders : float
        See `quadrant`.
    lessons : Lessons, optional
        What results add to the model: the effect of a contact counts on them.
    contents : pandas.DataFrame, optional
        theme and image that each customer would be shown, on the index of the moments.
    confirmed : mapping of str to float, optional
        From `confirmed.confirmed_pull`; without it confirmed_margin stays empty.

    Returns
    -------
    pandas.DataFrame
        Contract `response_scores`, but for as_of.
    """
    signals, value = contact_signals(moments.assign(**NO_MESSAGE)), order_value(moments)
    tables = [
        _score_one(
            moments["customer_id"],
            signals=with_offer(signals, offer),
            value=value,
            offer=offer,
            receptiveness=receptiveness,
            uplift=uplift if offer["tested"] else None,
            least_uplift_orders=least_uplift_orders,
            lessons=lessons,
            contents=contents,
            confirmed=confirmed,
        )
        for offer in offers.to_dict("records")
    ]
    if not tables:
        return pd.DataFrame()
    # More digits than anything here is known to, and half of the file.
    return pd.concat(tables, ignore_index=True).round(DECIMALS)


def _score_one(
    customer_id: pd.Series,
    *,
    signals: pd.DataFrame,
    value: pd.DataFrame,
    offer: dict,
    receptiveness: ReceptivenessModel | None,
    uplift: UpliftModel | None,
    least_uplift_orders: float,
    lessons: Lessons | None,
    contents: pd.DataFrame | None,
    confirmed: Mapping[str, float] | None,
) -> pd.DataFrame:
    depth = float(offer["depth"])
    table = pd.DataFrame(
        {
            "customer_id": customer_id,
            "channel": offer["channel"],
            "offer": offer["offer"],
            "depth": depth,
            "propensity": np.nan if receptiveness is None else receptiveness.predict(signals),
        }
    )
    if uplift is None:
        effects = ("uplift", "uplift_low", "uplift_high", "expected_margin", "confirmed_margin")
        return table.assign(**dict.fromkeys(effects, np.nan), quadrant=None)
    said = offer | {n: None if contents is None else contents[n] for n in ("theme", "image")}
    taught = None if lessons is None else lessons.factor(said, signals)
    told = uplift.predict(signals, lesson=taught)
    table = table.assign(**told[["uplift", "uplift_low", "uplift_high"]])
    orders = told["expected_orders"].to_numpy()
    table["quadrant"] = quadrant(
        table["uplift"].to_numpy(), orders, least_uplift_orders=least_uplift_orders
    )
    given_away = depth * value["amount"] * told["redeemed"]
    gain = told["uplift"] * value["margin"] - given_away
    left = value["margin"] / value["amount"].clip(lower=0.01) - depth
    # A reduction that leaves too little, or goes to who buys anyway, is not worth giving.
    barred = (depth > 0) & ((left < offer["min_margin"]) | (table["quadrant"] == "sure_thing"))
    sure = pd.Series(np.nan, index=gain.index)
    if confirmed is not None:
        hoped = uplift.parts(signals, lesson=taught)["pull"] * value["margin"]
        sure = gain - (1 - confirmed["reduction" if depth > 0 else "plain"]) * hoped
    margins = {"expected_margin": gain, "confirmed_margin": sure}
    return table.assign(**{n: m.mask(barred, m.clip(upper=0.0)) for n, m in margins.items()})
