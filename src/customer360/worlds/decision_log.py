"""The log of the decision service, handed in: what it offered becomes contacts.

The page of a visit is rebuilt at every click, and the service answers every time: one offer
to one person on one day is one contact, told by its first decision. What was merely shown or
answered is part of the page and no message; a stranger is nobody's contact.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa

from customer360.contracts import CHANNELS, SERVICE

__all__ = ["read_decision_log"]

_LOG = """
    create temp table told as
    with line as (
        select parse_filename(filename) as file, row_number() over () as place, line,
            case when json_valid(line) then line::json end as one
        from read_csv(getvariable('files'), columns = {'line': 'VARCHAR'}, header = false,
            auto_detect = false, delim = '\x01', quote = '', escape = '', filename = true,
            parallel = false, max_line_size = 4000000)
    )
    select file, place + 1 - min(place) over (partition by file) as row, line,
        one->>'decision_id' as decision_id, try_cast(one->>'at' as timestamp) as "at",
        one->>'customer_id' as customer_id,
        -- An adviser meets the person as a shop does: nobody was called.
        replace(one->>'channel', 'adviser', 'store') as channel,
        one->'actions'->0->>'action' as action, one->'actions'->0->>'offer' as offer
    from line
"""
_REASON = f"""
    select *, case
        when not json_valid(line) then 'not one JSON object a line'
        when coalesce(decision_id, '') = '' then 'no decision_id'
        when "at" is null then 'at is no time'
        when coalesce(channel, '') not in {CHANNELS} then 'no such channel'
        when action is null then 'no action'
        when action = 'offer' and coalesce(offer, '') = '' then 'an offer without a name'
    end as reason
    from told where trim(line) <> ''
"""


def read_decision_log(folder: Path) -> tuple[pa.Table, pa.Table]:
    """Contacts that the service made, and lines that cannot be read.

    Parameters
    ----------
    folder : Path
        Holds `*.jsonl`, and the older files that turned over (`.jsonl.1`...), as the service
        wrote them; it may not be there.

    Returns
    -------
    contacts : pyarrow.Table
        Columns of `raw.contacts`: contact_id (the decision), campaign_id and source
        `service`, source_id (the customer_id answered), variant (the offer), channel, at,
        event `sent`. One row per customer, channel, day (UTC) and offer.
    rejected : pyarrow.Table
        Contract `raw.rejected`.
    """
    files = sorted(str(path) for path in folder.glob("*.jsonl*"))
    with closing(duckdb.connect()) as connection:
        connection.execute("set timezone = 'UTC'")
        if files:
            connection.execute("set variable files = $files", {"files": files})
            connection.execute(_LOG)
        else:
            connection.execute(_EMPTY)
        connection.execute(f"create temp table judged as {_REASON}")
        contacts = connection.sql(
            f"""
            select arg_min(decision_id, ("at", decision_id)) as contact_id,
                '{SERVICE}' as campaign_id, offer as variant, '{SERVICE}' as source,
                customer_id as source_id, channel, min("at") as "at", 'sent' as event
            from judged
            where reason is null and action = 'offer' and customer_id is not null
            group by customer_id, channel, offer, "at"::date order by contact_id
            """
        ).to_arrow_table()
        rejected = connection.sql(
            f"""
            select 'contacts' as "table", '{SERVICE}' as source, file, row, reason,
                null::double as amount, to_json(line)::varchar as content
            from judged where reason is not null order by file, row
            """
        ).to_arrow_table()
    return contacts, rejected


_EMPTY = """
    create temp table told (file varchar, "row" bigint, line varchar, decision_id varchar,
        "at" timestamp, customer_id varchar, channel varchar, action varchar, offer varchar)
"""
