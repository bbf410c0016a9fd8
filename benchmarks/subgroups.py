"""Declared groups read where no message does anything: how often is one called beyond chance?

`.venv/bin/python benchmarks/subgroups.py [--draws 150]` (a minute), after `make pipeline` on the
demo. The real contacts keep their orders; who was held out is drawn anew within each campaign,
so that whatever is found is chance. Prints shares and writes no file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from customer360.features.campaign_contacts import describe_moments
from customer360.measurement.subgroups import MOST_P_VALUE, subgroup_effects
from customer360.planning.campaign_rules import read_campaign_rules
from customer360.storage import Store

ROOT = Path(__file__).resolve().parents[1]
TABLES = {"orders": "customer_orders", "contacts": "customer_contacts", "customers": "customers",
          "conversations": "customer_conversations",
          "web_events": "customer_web_events"}  # fmt: skip


def held_out_anew(contacts: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """As many held out of each campaign, but others."""
    campaign = contacts["campaign_id"].to_numpy()
    before = np.argsort(campaign, kind="stable")
    drawn = np.lexsort((rng.random(len(contacts)), campaign))
    sent = np.empty(len(contacts), dtype=bool)
    sent[before] = contacts["sent"].to_numpy()[drawn]
    return contacts.assign(sent=sent, held_out=~sent)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=150)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    store = Store.open()
    contacts = store.read("contact_outcomes").df()
    days = contacts[["customer_id", "contacted_on"]].rename(columns={"contacted_on": "day"})
    known = {name: store.read(table) for name, table in TABLES.items()}
    rules = read_campaign_rules((ROOT / "campaigns.yaml").read_text(encoding="utf-8"))
    given = {
        "moments": describe_moments(days, **known),
        "campaigns": store.read("staged.campaigns").df(),
        "offers": store.read("staged.offers").df(),
        "subgroups": rules.subgroups,
    }
    rng = np.random.default_rng(asked.seed)
    draws = [
        subgroup_effects(held_out_anew(contacts, rng=rng), **given) for _ in range(asked.draws)
    ]
    alone = (pd.concat(draws)["p_value"] <= MOST_P_VALUE).mean()
    any_of_them = np.mean([(draw["verdict"] != "not beyond chance").any() for draw in draws])
    print(f"{asked.draws} draws of {len(rules.subgroups)} groups, no message did anything:")
    print(f"  one by one beyond chance      {alone:.1%}")
    print(f"  any of them, held over all    {any_of_them:.1%}")


if __name__ == "__main__":
    main()
