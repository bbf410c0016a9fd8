"""Gaps of the golden record that other data fill, marked as completed.

A missing town is that of the postcode, a missing title that of the first name, where
nearly all records say the same. A name written without its accents is written as those do
who write them. Nothing a record says is overruled.
"""

from __future__ import annotations

from typing import Any

from customer360.linkage.golden_choices import Choices

__all__ = ["complete_choices"]

AGREEING = 0.9  # share of the records that must say the same
FEWEST = 3  # records it takes to say so
FEWEST_TITLES = 10
SPELLING_AGREEING = 0.6  # of those who write accents at all


def complete_choices(connection: Any, choices: Choices) -> None:
    """Fill gaps of what was chosen from what the records of everybody say.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        With table `known` of the golden record; `draft` is added.
    choices : Choices
        With the values looked up; changed.
    """
    connection.register("draft", choices.draft())
    for field, query in _COMPLETIONS.items():
        choices.put((field,), connection.sql(query).to_arrow_table())


_TOWN_OF_POSTCODE = f"""
with told as (
    select postcode, lower(strip_accents(city)) as vote, city, count(*) as n
    from known where postcode is not null and city is not null group by all
),
votes as (
    select postcode, vote, sum(n) as n, arg_max(city, (n, city)) as city from told group by all
),
towns as (
    select postcode, arg_max(city, (n, vote)) as town
    from votes group by 1 having max(n) >= {FEWEST} and max(n) >= {AGREEING} * sum(n)
)
select customer, town as text, null::integer as best, null::integer as runner_up, 1 as candidates,
       'town of the postcode' as rule, true as completed
from draft join towns using (postcode) where city is null order by customer
"""

_COUNTRY_OF_ANOTHER_RECORD = """
with gaps as (
    select customer, has_address from draft where country is null
),
told as (
    select customer, has_address, country, record,
           (coalesce(changed_at, timestamp '0001-01-01'), -record) as order_of
    from known join gaps using (customer) where country is not null
)
select customer, arg_max(country, order_of) as text, arg_max(record, order_of) as best,
       null::integer as runner_up, count(distinct country) as candidates,
       if(has_address, 'country of another record', 'freshest record') as rule,
       has_address as completed
from told group by customer, has_address order by customer
"""

_TITLE_OF_FIRST_NAME = f"""
with told as (
    select first_vote, title, count(*) as n
    from known where first_vote is not null and title is not null group by all
),
usual as (
    select first_vote, arg_max(title, (n, title)) as usual_title from told group by 1
    having sum(n) >= {FEWEST_TITLES} and max(n) >= 0.95 * sum(n)
)
select customer, usual_title as text, 1 as candidates, 'title of the first name' as rule,
       true as completed
from draft join usual using (first_vote) where title is null order by customer
"""

# Judged in the sources that write accents at least half as often as the best one does.
_SPELLING = f"""
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
),
spellings as (
    select vote, arg_max(text, (n, text)) as text
    from counted group by 1
    having sum(n) >= {FEWEST} and arg_max(accented, (n, text))
       and max(n) >= {SPELLING_AGREEING} * sum(n)
)
select customer, s.text, 'usual spelling of the name' as rule, true as completed
from draft join spellings s on s.vote = {{vote}}
where {{field}} <> s.text and len(regexp_extract_all({{field}}, '[^ -~]|-'))
                              < len(regexp_extract_all(s.text, '[^ -~]|-'))
order by customer
"""

_COMPLETIONS = {
    "city": _TOWN_OF_POSTCODE,
    "country": _COUNTRY_OF_ANOTHER_RECORD,
    "title": _TITLE_OF_FIRST_NAME,
    "first_name": _SPELLING.format(field="first_name", vote="first_vote"),
    "last_name": _SPELLING.format(field="last_name", vote="last_vote"),
}
