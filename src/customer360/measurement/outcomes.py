"""Each contact beside what became of it: the table that rates and tests stand on."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from customer360.engines import exact_sum
from customer360.features.campaign_contacts import RESPONSE_DAYS
from customer360.linkage.engine_tables import as_arrow, working_connection
from customer360.linkage.reachability import SOFT_REASON

__all__ = ["RESPONSE_DAYS", "contact_outcomes"]

_ORDERS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("source", pa.string()),
        ("order_id", pa.string()),
        ("ordered_on", pa.date32()),
        ("coupon_id", pa.string()),
        ("amount", pa.float64()),
        ("net_amount", pa.float64()),
        ("margin", pa.float64()),
    ]
)
_CAMPAIGNS = pa.schema(
    [
        ("campaign_id", pa.string()),
        ("offer_id", pa.string()),
        ("started_at", pa.timestamp("us")),
        ("ended_at", pa.timestamp("us")),
    ]
)
_CLAIMS = pa.schema([("customer_id", pa.string()), ("at", pa.timestamp("us"))])


def contact_outcomes(
    contacts: Any,
    *,
    orders: Any | None = None,
    claims: Any | None = None,
    campaigns: Any | None = None,
    response_days: int = RESPONSE_DAYS,
    before_days: int = 365,
) -> pa.Table:
    """Join every contact to what the tools said of it and to what the customer then did.

    Parameters
    ----------
    contacts : frame
        Contract `customer_contacts`.
    orders : frame, optional
        Contract `customer_orders`. Returns, of negative amount, count in net_amount and
        margin, not as orders.
    claims : frame, optional
        customer_id, at: conversations or surveys in which somebody complained.
    campaigns : frame, optional
        Contract `campaigns`: when each ran, and its offer. A coupon is of a campaign when
        it bears the offer's name, or begins with the campaign's and a hyphen.
    response_days : int, days
        Orders of the days after the contact, up to so many, are looked at.
    before_days : int, days
        The same sums of so many days up to the contact: what `effects` corrects for.

    Returns
    -------
    pyarrow.Table
        One row per contact_id, in its order: customer_id, campaign_id, variant, channel,
        contacted_on (date, UTC), cost (currency), flags held_out, sent, delivered, opened
        (by a person), machine_opened (by a proxy, nobody knows), clicked, hard_bounced,
        soft_bounced, undeliverable, unsubscribed, referred, complained, redeemed (a coupon
        of the campaign, while it ran), converted; reason
        (of what came back); orders, net_amount, margin (currency) in the days after;
        orders_before, margin_before.
    """
    with working_connection() as connection:
        connection.register("events", as_arrow(contacts))
        connection.register("lines", _ORDERS.empty_table() if orders is None else as_arrow(orders))
        connection.register("claims", _CLAIMS.empty_table() if claims is None else as_arrow(claims))
        connection.register(
            "campaigns", _CAMPAIGNS.empty_table() if campaigns is None else as_arrow(campaigns)
        )
        soft = (
            "regexp_matches(strip_accents(lower(coalesce(reason, 'full'))), "
            f"'{SOFT_REASON}|^full$')"
        )
        return connection.sql(
            f"""
            with contact as (
                select contact_id, any_value(customer_id) as customer_id,
                       min(campaign_id) as campaign_id, min(variant) as variant,
                       coalesce(min(channel), 'not told') as channel,
                       min(cast("at" as date)) as contacted_on,
                       coalesce(max(cost), 0) as cost,
                       bool_or(event = 'held_out') as held_out,
                       bool_or(event = 'sent') as sent,
                       bool_or(event = 'delivered') as delivered,
                       bool_or(event = 'opened' and coalesce(reason, '') <> 'proxy') as opened,
                       bool_or(event = 'opened' and reason = 'proxy') as machine_opened,
                       bool_or(event = 'clicked') as clicked,
                       bool_or(event = 'bounced' and not {soft}) as hard_bounced,
                       bool_or(event = 'bounced' and {soft}) as soft_bounced,
                       bool_or(event = 'undeliverable') as undeliverable,
                       bool_or(event = 'unsubscribed') as unsubscribed,
                       bool_or(event = 'referred') as referred,
                       min(reason) filter (event in ('bounced', 'undeliverable')) as reason
                from events group by contact_id
            ),
            bought as (
                select customer_id, ordered_on as day,
                       count(distinct (source, order_id)) filter (amount >= 0) as orders,
                       {exact_sum("net_amount")} as net_amount, {exact_sum("margin")} as margin
                from lines group by all
            ),
            near as (
                select c.contact_id, b.*, b.day > c.contacted_on as after
                from contact c join bought b on b.customer_id = c.customer_id
                    and b.day > c.contacted_on - {before_days}
                    and b.day <= c.contacted_on + {response_days}
            ),
            spent as (
                select contact_id,
                       sum(orders) filter (after) as orders,
                       sum(net_amount) filter (after) as net_amount,
                       sum(margin) filter (after) as margin,
                       sum(orders) filter (not after) as orders_before,
                       sum(margin) filter (not after) as margin_before
                from near group by contact_id
            ),
            coupons as (
                select distinct customer_id, ordered_on, coupon_id from lines
                where coupon_id is not null and amount >= 0
            ),
            redeemed as (
                select distinct c.contact_id
                from contact c join campaigns k using (campaign_id)
                    join coupons u on u.customer_id = c.customer_id
                        and u.ordered_on >= c.contacted_on
                        and u.ordered_on <= cast(k.ended_at as date)
                        and (u.coupon_id = k.offer_id
                             or starts_with(u.coupon_id, concat(c.campaign_id, '-')))
                where not c.held_out
            ),
            -- A tool that never says what arrived is believed to deliver.
            tells as (select channel, bool_or(delivered) as tells from contact group by channel),
            complained as (
                select distinct c.contact_id
                from contact c join claims k on k.customer_id = c.customer_id
                    and cast(k."at" as date) > c.contacted_on
                    and cast(k."at" as date) <= c.contacted_on + {response_days}
            )
            select c.contact_id, c.customer_id, c.campaign_id, c.variant, c.channel,
                   c.contacted_on, c.cost, c.held_out, c.sent,
                   case when t.tells then c.delivered else c.sent end as delivered, c.opened,
                   c.machine_opened, c.clicked, c.hard_bounced, c.soft_bounced,
                   c.undeliverable, c.unsubscribed, c.referred,
                   k.contact_id is not null as complained,
                   r.contact_id is not null as redeemed,
                   coalesce(s.orders, 0) > 0 as converted, c.reason,
                   coalesce(s.orders, 0)::bigint as orders,
                   coalesce(s.net_amount, 0)::double as net_amount,
                   coalesce(s.margin, 0)::double as margin,
                   coalesce(s.orders_before, 0)::bigint as orders_before,
                   coalesce(s.margin_before, 0)::double as margin_before
            from contact c left join spent s using (contact_id)
                left join complained k using (contact_id)
                left join redeemed r using (contact_id) join tells t using (channel)
            order by c.contact_id
            """
        ).to_arrow_table()
