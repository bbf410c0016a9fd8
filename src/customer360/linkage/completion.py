"""Gaps of the golden record that other data fill, marked as completed.

A missing town is that of the postcode, a missing title that of the first name, where
nearly all records say the same. A name written without its accents is written as those do
who write them. Nothing a record says is overruled.
"""

from __future__ import annotations

from typing import Any

from customer360.linkage.golden_values import ADDRESS

__all__ = ["complete_choices"]

AGREEING = 0.9  # share of the records that must say the same
FEWEST = 3  # records it takes to say so
FEWEST_TITLES = 10
SPELLING_AGREEING = 0.6  # of those who write accents at all


def complete_choices(connection: Any) -> None:
    """Fill gaps in table `chosen` from what the records of everybody say.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        With the tables `known` and `chosen` of the golden record.
    """
    connection.execute(_TOWNS)
    connection.execute(_TOWN_OF_POSTCODE)
    connection.execute(_COUNTRY_OF_ANOTHER_RECORD)
    connection.execute(_TITLE_OF_FIRST_NAME)
    for field, vote in (("first_name", "first_vote"), ("last_name", "last_vote")):
        connection.execute(_SPELLINGS.format(field=field, vote=vote))
        connection.execute(_SPELL.format(field=field))


_TOWNS = f"""
create temp table towns as
with told as (
    select postcode, lower(strip_accents(city)) as vote, city, count(*) as n
    from known where postcode is not null and city is not null group by all
),
votes as (
    select postcode, vote, sum(n) as n, arg_max(city, (n, city)) as city from told group by all
)
select postcode, arg_max(city, (n, vote)) as city
from votes group by 1 having max(n) >= {FEWEST} and max(n) >= {AGREEING} * sum(n)
"""

# The town stands in its own row: the address as written keeps its own provenance.
_TOWN_OF_POSTCODE = f"""
insert into chosen
select c.customer, 'city', null, t.city, null, 'town of the postcode', 1, true, null, null
from chosen c join towns t on t.postcode = split_part(c.text, chr(31), 2)
where c.field = '{ADDRESS}' and split_part(c.text, chr(31), 3) = ''
"""

_TITLE_OF_FIRST_NAME = f"""
insert into chosen
with told as (
    select first_vote as vote, title, count(*) as n
    from known where first_vote is not null and title is not null group by all
),
usual as (
    select vote, arg_max(title, (n, title)) as title from told group by 1
    having sum(n) >= {FEWEST_TITLES} and max(n) >= 0.95 * sum(n)
)
select c.customer, 'title', null, u.title, null, 'title of the first name', 1, true, null, null
from chosen c join usual u using (vote)
left join chosen t on t.customer = c.customer and t.field = 'title'
where c.field = 'first_name' and t.customer is null
"""

_COUNTRY_OF_ANOTHER_RECORD = f"""
insert into chosen
select k.customer, 'country', null, arg_max(k.country, order_of), arg_max(k.record, order_of),
       if(any_value(c.text) is null, 'freshest record', 'country of another record'),
       count(distinct k.country), any_value(c.text) is not null, null, null
from (
    select customer, country, record,
           (coalesce(changed_at, timestamp '0001-01-01'), -record) as order_of
    from known where country is not null
) k
left join chosen c on c.customer = k.customer and c.field = '{ADDRESS}'
where c.text is null or split_part(c.text, chr(31), 4) = ''
group by 1
"""

# Judged in the sources that write accents at least half as often as the best one does.
_SPELLINGS = f"""
create or replace temp table spellings as
with told as (
    select source, {{vote}} as vote, {{field}} as text, count(*) as n,
           regexp_matches({{field}}, '[^ -~]|-') as accented,
           regexp_matches({{field}}, '[^ -~]') as marked
    from (select source, {{vote}}, {{field}} from known where {{field}} is not null)
    group by all
),
sources as (
    select source, (sum(n) filter (marked))::double / sum(n) as share from told group by 1
),
writing as (
    select source from sources where share > 0 and share >= 0.5 * (select max(share) from sources)
),
counted as (
    select vote, text, accented, sum(n) as n
    from told semi join writing using (source) group by all
)
select vote, arg_max(text, (n, text)) as text
from counted group by 1
having sum(n) >= {FEWEST} and arg_max(accented, (n, text))
   and max(n) >= {SPELLING_AGREEING} * sum(n)
"""
_SPELL = """
update chosen set text = s.text, completed = true, rule = 'usual spelling of the name'
from spellings s
where chosen.field = '{field}' and chosen.vote = s.vote and chosen.text <> s.text
  and len(regexp_extract_all(chosen.text, '[^ -~]|-')) < len(regexp_extract_all(s.text, '[^ -~]|-'))
"""
