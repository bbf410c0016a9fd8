"""How each customer behaves: basket, payment, delivery, contact, claims, promotions, prices."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow

__all__ = ["describe_behaviour", "price_sensitivity"]

# Orders, messages or orders' worth that the crowd weighs in a customer's shares.
CROWD_LINES = 10.0
CROWD_MESSAGES = 5.0
# Prices are followed by fortnights: shorter ones hold too few purchases of a category.
FORTNIGHT_DAYS = 14


def describe_behaviour(*, orders: Any, contacts: Any, conversations: Any, as_of: date) -> Any:
    """What each customer is used to, from all it did up to a day.

    Parameters
    ----------
    orders, contacts, conversations : frame
        Contracts `customer_orders`, `customer_contacts`, `customer_conversations`.
    as_of : date
        Last day known.

    Returns
    -------
    pandas.DataFrame
        One row per customer with an order: customer_id, basket_amount (average order,
        currency), basket_lines, main_payment, main_delivery, talks_by (channel of most of
        its own conversations), claims (conversations about something that went wrong:
        reasons of late, broken, missing, invoice and return), returned_share, messages,
        opened_share (shrunk towards the crowd), promo_share (lines bought with a reduction,
        shrunk).
    """
    with closing(connect()) as connection:
        for name, table in (("o", orders), ("c", contacts), ("t", conversations)):
            connection.register(name, as_arrow(table))
        return connection.execute(
            f"""with lines as (from o where ordered_on <= date '{as_of}'),
            baskets as (
                select customer_id, source, order_id, sum(amount) as amount, count(*) as lines,
                    mode(payment) as payment, mode(delivery) as delivery
                from lines where status <> 'unpaid' and amount > 0 group by all),
            ranked as (
                select customer_id, 'payment' as what, payment as value, count(*) as n
                from baskets where payment is not null group by all
                union all
                select customer_id, 'delivery', delivery, count(*)
                from baskets where delivery is not null group by all
                union all
                select customer_id, 'talks', channel, count(*)
                from t where direction = 'in' and "at" < date '{as_of}' + 1 group by all),
            -- The most frequent; the first in the alphabet among equals.
            usual as (
                select customer_id, what, arg_min(value, (-n, value)) as value
                from ranked where value is not null group by all),
            basket as (
                select customer_id, avg(amount) as basket_amount, avg(lines) as basket_lines
                from baskets group by all),
            promo as (
                select customer_id, count(*) as n, avg((status = 'returned')::integer) as returned,
                    sum((coalesce(discount, 0) > 0)::integer) as promoted
                from lines where amount >= 0 group by all),
            crowd as (select sum(promoted) / sum(n) as share from promo),
            message as (
                select customer_id, contact_id, max((event = 'opened')::integer) as opened
                from c where "at" < date '{as_of}' + 1 and channel = 'email' and event <> 'held_out'
                group by all),
            reader as (
                select customer_id, count(*) as messages, sum(opened) as opened
                from message group by all),
            readers as (select sum(opened) / sum(messages) as share from reader),
            claim as (
                select customer_id, count(*) as claims from t
                where "at" < date '{as_of}' + 1
                    and regexp_matches(strip_accents(lower(reason)),
                        'retard|casse|rupture|facture|retour|reclam|late|broken|claim|return')
                group by all)
            select customer_id, basket_amount, basket_lines, p.value as main_payment,
                d.value as main_delivery, w.value as talks_by,
                coalesce(claims, 0) as claims, returned as returned_share,
                coalesce(messages, 0) as messages,
                (opened + {CROWD_MESSAGES} * readers.share) / (messages + {CROWD_MESSAGES})
                    as opened_share,
                (promoted + {CROWD_LINES} * crowd.share) / (n + {CROWD_LINES}) as promo_share
            from promo cross join crowd cross join readers
            left join basket using (customer_id)
            left join (from usual where what = 'payment') p using (customer_id)
            left join (from usual where what = 'delivery') d using (customer_id)
            left join (from usual where what = 'talks') w using (customer_id)
            left join reader using (customer_id) left join claim using (customer_id)
            order by customer_id"""
        ).df()


def price_sensitivity(orders: Any, *, as_of: date) -> pd.DataFrame:
    r"""How far each customer turns to what is cheap just then, beside the others.

    Shelf prices move: :math:`x_{ct}` is the log price of category c in fortnight t, of the
    same products, less the average of all categories then. If the customer chose with
    probability :math:`\propto T_{ic} S_{ct} e^{-d_i x_{ct}}` (its own taste, shrunk, and what
    the crowd bought then), with :math:`d_i` its elasticity above the crowd's, then one Newton
    step from 0 gives

    .. math:: d_i = U_i / I_i, \quad U_i = \sum (\bar x_{it} - x_{ct}),
              \quad I_i = \sum \mathrm{Var}_i(x_{\cdot t})

    over its lines. This is noisy, so it is shrunk: towards a line in the share it buys on
    promotion, fitted with the same weights, and by the spread :math:`\tau^2` of customers
    about it, both estimated from all customers (empirical Bayes).

    Parameters
    ----------
    orders : frame
        Contract `customer_orders`.
    as_of : date
        Last day known.

    Returns
    -------
    pandas.DataFrame
        One row per customer with priced lines: customer_id, price_sensitivity (elasticity
        above the crowd's, positive: turns to what is cheap), price_information (I, what
        the data say; 0 when prices never varied while it bought). Empty when no line bears
        a product and a category.
    """
    with closing(connect()) as connection:
        connection.register("o", as_arrow(orders))
        found = connection.execute(
            f"""with lines as materialized (
                select customer_id, product_id, category,
                    (ordered_on - date '2000-01-01') // {FORTNIGHT_DAYS} as t,
                    ln((amount + coalesce(discount, 0)) / quantity) as price,
                    (coalesce(discount, 0) > 0)::integer as promoted
                from o where quantity > 0 and amount > 0 and ordered_on <= date '{as_of}'
                    and product_id is not null and category is not null),
            usual as (select product_id, avg(price) as usual from lines group by all),
            moved as (
                select category, t, avg(price - usual) as x, count(*) as n
                from lines join usual using (product_id) group by all),
            prices as materialized (
                select category, t, n / sum(n) over (partition by t) as share,
                    x - sum(x * n) over (partition by t) / sum(n) over (partition by t) as x
                from moved),
            crowd as (
                select category, count(*) / sum(count(*)) over () as q from lines group by all),
            mine as (select customer_id, category, count(*) as n from lines group by all),
            total as (select customer_id, sum(n) as total from mine group by all),
            taste as (
                select customer_id, category,
                    (coalesce(n, 0) + {CROWD_LINES} * q) / (total + {CROWD_LINES}) / q as taste
                from total cross join crowd left join mine using (customer_id, category)),
            moments as (
                select customer_id, t, sum(taste * share * x) / sum(taste * share) as mean,
                    sum(taste * share * x * x) / sum(taste * share) as square
                from (select distinct customer_id, t from lines)
                join prices using (t) join taste using (customer_id, category) group by all)
            select customer_id, sum(mean - x) as u, sum(greatest(square - mean * mean, 0)) as i,
                avg(promoted) as promoted, count(*) as n
            from lines join prices using (category, t) join moments using (customer_id, t)
            group by all order by all"""
        ).df()
    shrunk = _shrink(*(found[name].to_numpy(dtype=float) for name in ("u", "i", "promoted", "n")))
    # Rounded: a sum made in another order must not rank customers otherwise.
    return pd.DataFrame(
        {
            "customer_id": found["customer_id"],
            "price_sensitivity": shrunk.round(9),
            "price_information": found["i"].round(9),
        }
    )


def _shrink(u: np.ndarray, i: np.ndarray, promoted: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Empirical Bayes about a line in the (shrunk) share bought on promotion."""
    if not i.sum() > 0:
        return np.zeros(len(u))
    average = np.average(promoted, weights=n)
    share = (promoted * n + CROWD_LINES * average) / (n + CROWD_LINES)
    design = np.c_[np.ones(len(u)), share - average]
    # Weighted least squares of u / i on the design with weights i.
    line, *_ = np.linalg.lstsq(design.T @ (design * i[:, None]), design.T @ u, rcond=None)
    prior = design @ line
    rest = u - i * prior
    # E[rest²] = I + I² τ² when d spreads by τ² about the line.
    spread = max(float((rest**2 - i).sum() / (i**2).sum()), 1e-6)
    return prior + rest / (i + 1 / spread)
