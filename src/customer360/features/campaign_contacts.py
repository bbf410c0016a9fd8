"""What each contact of a campaign was, whom it met, and what the customer then ordered.

Two tables meet here. A *contact* is a message sent, or one that the draw of the hold-out kept
back: channel, offer, goal, share of the campaign that was sent, and the orders of the two
weeks after. A *moment* is a customer on a day: what was known of it before that day, and
nothing later. The same moments describe past contacts, to learn from, and today's customers.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from customer360.linkage.engine_tables import as_arrow, as_pandas, working_connection

__all__ = [
    "CONTACT_CHANNELS",
    "MOMENT_FEATURES",
    "RESPONSE_DAYS",
    "campaign_contacts",
    "describe_moments",
    "offer_code",
    "offers_made",
]

RESPONSE_DAYS = 14
CONTACT_CHANNELS = ("email", "sms", "phone", "post", "social", "web")
# An order so soon after a message had an offer to use, and the next one finds it fresh.
OFFER_DAYS = 21
DIGITS = 6
MOMENT_FEATURES = (
    "orders_before", "recency_days", "tenure_days", "orders_last_quarter", "orders_last_half",
    "orders_last_year", "orders_same_season", "order_amount", "order_margin", "reduced_share",
    "reduced_lines", "reduced_lines_usual", "coupon_orders", "coupon_chances", "known_days",
    "watched_days", "age_years", "sent_before", "fatigue", "days_since_contact",
    "emails_before", "opened_before", "clicked_before", "bounced_before",
    "talks_last_half", "visits_last_half", "shop_season",
)  # fmt: skip

_READ = {
    "contacts": ("customer_id", "contact_id", "campaign_id", "variant", "channel", "at", "event",
                 "reason"),
    "orders": ("customer_id", "source", "order_id", "ordered_on", "category", "amount",
               "discount", "coupon_id", "net_amount", "margin"),
    "customers": ("customer_id", "birth_date", "created_at"),
    "conversations": ("customer_id", "at"),
    "web_events": ("customer_id", "at", "known_at"),
}  # fmt: skip


def _register(connection: Any, **tables: Any) -> None:
    """Hand tables to the engine, large ones by the columns that are read."""
    for name, table in tables.items():
        if name in _READ:
            columns = ", ".join(f'"{column}"' for column in _READ[name])
            table = (
                table.project(columns) if hasattr(table, "project") else table[list(_READ[name])]
            )
        connection.register(name, as_arrow(table))


def offer_code(kind: pd.Series, depth: pd.Series) -> pd.Series:
    """Name of an offer: its kind, and its depth in percent where the kind has several.

    Examples
    --------
    >>> offer_code(pd.Series(["percent", "gift", None]), pd.Series([0.2, 0.05, None])).tolist()
    ['percent_20', 'gift', 'none']
    """
    percent = (depth.fillna(0.0) * 100).round().astype(int).astype(str)
    names = kind.fillna("none").astype(str)
    return names.where(names.isin(["none", "gift"]) | depth.isna(), names + "_" + percent)


def _known_name(values: pd.Series) -> pd.Series:
    """Channels that the data do not name are one of their own."""
    return values.fillna("unknown").astype(str)


def campaign_contacts(
    contacts: Any, *, campaigns: Any, offers: Any, orders: Any, as_of: date
) -> pd.DataFrame:
    """Contacts sent or held out, and the orders of the `RESPONSE_DAYS` after each.

    Parameters
    ----------
    contacts, orders : frame
        Contracts `customer_contacts` and `customer_orders`.
    campaigns, offers : frame
        Contracts `staged.campaigns` and `staged.offers`.
    as_of : date
        Last day known: contacts whose two weeks are not over are left out.

    Returns
    -------
    pandas.DataFrame
        One row per contact_id, in its order: customer_id, campaign_id, day, channel, goal,
        theme, image, category, offer, kind, coupons (how many were sent), depth and min_margin
        (shares), cost (currency), treated, propensity (share sent of the campaign), orders,
        redeemed (orders with a coupon of the campaign), answered (such an order came before
        the campaign ended, `ended_on`), margin (currency), taste (share of earlier spending
        that went to the categories offered; empty where the campaign bears on all).
    """
    with working_connection() as connection:
        _register(connection, contacts=contacts, campaigns=campaigns, offers=offers, orders=orders)
        table = as_pandas(connection.sql(_CONTACTS, params={"as_of": as_of, "days": RESPONSE_DAYS}))
    table["offer"] = offer_code(table["kind"], table["depth"])
    table["depth"] = table["depth"].fillna(0.0)
    sums = ["propensity", "margin", "taste"]
    table[sums] = table[sums].round(DIGITS)
    table["channel"] = _known_name(table["channel"])
    for column in ("day", "ended_on"):
        table[column] = pd.to_datetime(table[column])
    return table


_CONTACTS = """with drawn as (
    select contact_id, any_value(customer_id) as customer_id,
           any_value(campaign_id) as campaign_id, any_value(variant) as variant,
           any_value(channel) as channel, bool_or(event = 'sent') as treated,
           min("at")::date as day
    from contacts where event in ('sent', 'held_out') group by contact_id
),
books as (
    -- Campaigns that send several coupons name none of them: theirs begin with the campaign.
    select split_part(offer_id, '-', 1) as campaign_id, any_value(kind) as book,
           count(distinct offer_id) as coupons
    from offers where contains(offer_id, '-') group by all
),
aimed as (
    select campaign_id, variant, category from campaigns join offers using (offer_id)
    union
    select campaign_id, variant, category from campaigns join offers
        on split_part(offers.offer_id, '-', 1) = campaign_id and contains(offers.offer_id, '-')
),
told as (
    select drawn.*, goal, theme, image, offers.category,
           coalesce(kind, book) as kind, depth, offer_id,
           coalesce(coupons, (depth > 0)::integer, 0) as coupons,
           greatest(ended_at::date, day + $days::integer) as ended_on,
           coalesce(drawn.channel, campaigns.channel) as how, cost_per_contact as cost,
           min_margin,
           avg(treated::integer) over (partition by drawn.campaign_id) as propensity
    from drawn left join campaigns using (campaign_id, variant) left join offers using (offer_id)
         left join books using (campaign_id)
    where day + $days::integer <= $as_of::date
),
bought as (
    select customer_id, source, order_id, ordered_on as day, max(coupon_id) as coupon_id,
           sum(margin) as margin
    from orders where amount >= 0 group by all
),
after as (
    select contact_id, count(*) filter (soon) as orders, sum(margin) filter (soon) as margin,
           count(*) filter (soon and used) as redeemed, bool_or(used) as answered
    from (
        select contact_id, margin, bought.day <= told.day + $days::integer as soon,
               coalesce(bought.coupon_id = offer_id
                   or starts_with(bought.coupon_id, campaign_id || '-'), false) as used
        from told join bought on bought.customer_id = told.customer_id
            and bought.day > told.day and bought.day <= ended_on
    ) group by contact_id
),
wide as (
    select distinct campaign_id, variant from aimed where category is null
),
spent as (
    select customer_id, category, ordered_on as day, sum(greatest(net_amount, 0)) as amount
    from orders group by all
),
liked as (
    select contact_id, sum(amount) filter (aimed.category is not null) as here,
           sum(amount) as everywhere
    from told join spent on spent.customer_id = told.customer_id and spent.day < told.day
        left join aimed on aimed.campaign_id = told.campaign_id
            and aimed.variant is not distinct from told.variant
            and aimed.category = spent.category
    where (told.campaign_id, told.variant) not in (select campaign_id, variant from wide)
    group by contact_id
)
select contact_id, customer_id, campaign_id, day, how as channel, goal, theme, image,
       category, kind, depth, min_margin, cost, treated, propensity,
       coalesce(orders, 0)::double as orders,
       coalesce(redeemed, 0)::double as redeemed, coalesce(answered, false) as answered,
       ended_on, coalesce(margin, 0) as margin,
       coupons, coalesce(here, 0) / nullif(everywhere, 0) as taste
from told left join after using (contact_id) left join liked using (contact_id)
order by contact_id"""


def describe_moments(
    moments: pd.DataFrame,
    *,
    orders: Any,
    contacts: Any,
    customers: Any,
    conversations: Any,
    web_events: Any,
) -> pd.DataFrame:
    """What was known of customers before a day.

    Parameters
    ----------
    moments : pandas.DataFrame
        Columns customer_id and day: the day itself is not looked at.
    orders, contacts, customers, conversations, web_events : frame
        Contracts `customer_*` and `customers`; later rows may be there.

    Returns
    -------
    pandas.DataFrame
        One row per distinct moment, in order of customer_id and day: `MOMENT_FEATURES`,
        numbers, empty where nothing says. shop_season is how the shop did in the same two
        weeks a year ago, beside its average (1 without a year of history).
    """
    asked = moments[["customer_id", "day"]].drop_duplicates()
    asked = asked.assign(day=pd.to_datetime(asked["day"]))
    with working_connection() as connection:
        _register(
            connection,
            moments=asked,
            orders=orders,
            contacts=contacts,
            customers=customers,
            conversations=conversations,
            web_events=web_events,
        )
        table = as_pandas(
            connection.sql(_MOMENTS, params={"days": RESPONSE_DAYS, "open": OFFER_DAYS})
        )
    # Rounded: an engine adds in any order, and the same data must give the same model.
    table[list(MOMENT_FEATURES)] = table[list(MOMENT_FEATURES)].astype(float).round(DIGITS)
    table["day"] = pd.to_datetime(table["day"])
    return table[["customer_id", "day", *MOMENT_FEATURES]]


_MOMENTS = """with m as (select customer_id, "day"::date as day from moments),
bought as (
    select customer_id, ordered_on as day, count(distinct (source, order_id)) as orders,
           sum(greatest(net_amount, 0)) as amount, sum(margin) as margin,
           sum(abs(discount)) as reduced, sum(abs(amount) + coalesce(abs(discount), 0)) as full,
           count(distinct (source, order_id)) filter (coupon_id is not null) as coupons,
           count(*) filter (coupon_id is null) as lines,
           count(*) filter (coupon_id is null and abs(discount) > 0) as cheap
    from orders where amount >= 0 group by all
),
sales as (
    select day, sum(sum(cheap)) over week / nullif(sum(sum(lines)) over week, 0) as share
    from bought group by day
    window week as (order by day range between 6 preceding and current row)
),
open_offers as (
    select distinct b.customer_id, b.day from bought b join contacts c
        on c.customer_id = b.customer_id and c.event = 'sent'
        and c."at"::date < b.day and c."at"::date >= b.day - $open::integer
),
purchases as (
    select m.customer_id, m.day, sum(orders) as orders_before,
           m.day - max(b.day) as recency_days, m.day - min(b.day) as tenure_days,
           sum(orders) filter (b.day >= m.day - 91) as orders_last_quarter,
           sum(orders) filter (b.day >= m.day - 182) as orders_last_half,
           sum(orders) filter (b.day >= m.day - 365) as orders_last_year,
           sum(orders) filter ((m.day + $days::integer - b.day) % 365 < $days::integer)
               as orders_same_season,
           round(sum(amount), 4) / sum(orders) as order_amount,
           round(sum(margin), 4) / sum(orders) as order_margin,
           round(sum(reduced), 4) / nullif(round(sum("full"), 4), 0) as reduced_share,
           sum(cheap) as reduced_lines, sum(lines * share) as reduced_lines_usual,
           sum(coupons) as coupon_orders,
           sum(orders) filter (o.day is not null) as coupon_chances
    from m join bought b on b.customer_id = m.customer_id and b.day < m.day
        left join sales on sales.day = b.day
        left join open_offers o on o.customer_id = b.customer_id and o.day = b.day
    group by m.customer_id, m.day
),
events as (
    select customer_id, "at"::date as day, channel, event, reason from contacts
),
messages as (
    select m.customer_id, m.day, count(*) filter (event = 'sent') as sent_before,
           sum(exp((e.day - m.day) / $open::double)) filter (event = 'sent') as fatigue,
           min(m.day - e.day) filter (event = 'sent') as days_since_contact,
           count(*) filter (event = 'sent' and channel = 'email') as emails_before,
           count(*) filter (event = 'opened' and coalesce(reason, '') <> 'proxy')
               as opened_before,
           count(*) filter (event = 'clicked') as clicked_before,
           count(*) filter (event in ('bounced', 'undeliverable')) as bounced_before
    from m join events e on e.customer_id = m.customer_id and e.day < m.day
    group by m.customer_id, m.day
),
talks as (
    select m.customer_id, m.day, count(*) as talks_last_half
    from m join conversations c on c.customer_id = m.customer_id
        and c."at"::date < m.day and c."at"::date >= m.day - 182
    group by m.customer_id, m.day
),
seen as (
    select customer_id, greatest("at", known_at)::date as day from web_events group by all
),
visits as (
    select m.customer_id, m.day, count(*) as visits_last_half
    from m join seen v on v.customer_id = m.customer_id
        and v.day < m.day and v.day >= m.day - 182
    group by m.customer_id, m.day
),
shop as (select day, sum(orders) as orders from bought group by day),
span as (select min(day) as first_day from bought),
seasons as (
    select d.day, case when min(first_day) <= d.day - 365
        then sum(orders) filter (shop.day <= d.day - 365 + $days::integer) * 365.0
            / $days::integer / nullif(sum(orders), 0) end as shop_season
    from (select distinct day from m) d join shop
        on shop.day > d.day - 365 and shop.day < d.day, span
    group by d.day
)
select m.customer_id, m.day, coalesce(orders_before, 0) as orders_before, recency_days,
       least(greatest(m.day - least(created_at::date, m.day), coalesce(tenure_days, 0)),
           greatest(m.day - first_day, 0)) as watched_days,
       tenure_days, coalesce(orders_last_quarter, 0) as orders_last_quarter,
       coalesce(orders_last_half, 0) as orders_last_half,
       coalesce(orders_last_year, 0) as orders_last_year,
       coalesce(orders_same_season, 0) as orders_same_season, order_amount, order_margin,
       reduced_share, coalesce(reduced_lines, 0) as reduced_lines,
       coalesce(reduced_lines_usual, 0) as reduced_lines_usual,
       coalesce(coupon_orders, 0) as coupon_orders, coalesce(coupon_chances, 0) as coupon_chances,
       greatest(m.day - least(created_at::date, m.day), coalesce(tenure_days, 0)) as known_days,
       (m.day - birth_date) / 365.25 as age_years, coalesce(sent_before, 0) as sent_before,
       coalesce(fatigue, 0) as fatigue, days_since_contact,
       coalesce(emails_before, 0) as emails_before, coalesce(opened_before, 0) as opened_before,
       coalesce(clicked_before, 0) as clicked_before,
       coalesce(bounced_before, 0) as bounced_before,
       coalesce(talks_last_half, 0) as talks_last_half,
       coalesce(visits_last_half, 0) as visits_last_half, coalesce(shop_season, 1) as shop_season
from m left join purchases using (customer_id, day) left join messages using (customer_id, day)
     left join talks using (customer_id, day)
     left join visits using (customer_id, day) left join seasons using (day)
     left join customers using (customer_id), span
order by m.customer_id, m.day"""


def offers_made(contacts: pd.DataFrame) -> pd.DataFrame:
    """Each channel with each offer that was ever made, as contacts that could be sent.

    Parameters
    ----------
    contacts : pandas.DataFrame
        From `campaign_contacts`.

    Returns
    -------
    pandas.DataFrame
        One row per channel and offer: channel, offer, kind, coupons, depth and min_margin
        (shares), cost (currency a contact), tested (something was held out at random on
        the channel).
    """
    offers = contacts.groupby("offer", as_index=False).agg(
        kind=("kind", "first"),
        coupons=("coupons", "median"),
        depth=("depth", "first"),
        min_margin=("min_margin", "max"),
    )
    channels = contacts.groupby("channel", as_index=False).agg(
        cost=("cost", "mean"), tested=("propensity", lambda share: bool((share < 1).any()))
    )
    table = channels.merge(offers, how="cross")
    return table.assign(
        depth=table["depth"].astype(float), min_margin=table["min_margin"].astype(float).fillna(0.0)
    )[["channel", "offer", "kind", "coupons", "depth", "min_margin", "cost", "tested"]]
