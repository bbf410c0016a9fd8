from __future__ import annotations

import datetime as dt

import pandas as pd

from customer360.measurement.contact_changes import NO_ADDRESS, NO_CONSENT, contact_changes


def test_refusals_and_dead_addresses_are_told_once_with_day_and_reason():
    customers = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d"],
            "consent_email": [False, True, True, False],
            "reachable_email": [False, False, True, True],
        }
    )
    for channel in ("sms", "phone", "post"):
        customers = customers.assign(**{f"consent_{channel}": True, f"reachable_{channel}": True})
    rows = [
        ("a", "email", "2025-01-05", "bounced", "adresse inconnue"),
        ("a", "email", "2025-01-02", "unsubscribed", None),
        ("b", "email", "2025-02-01", "bounced", "boîte pleine"),
        ("b", "email", "2025-03-01", "bounced", "adresse inconnue"),
        ("c", "email", "2025-02-01", "bounced", "boîte pleine"),  # works again
        ("c", "email", "2025-02-01", "opened", None),
        ("d", "post", "2025-02-01", "undeliverable", "PND"),  # a new address since
    ]
    names = ["customer_id", "channel", "at", "event", "reason"]
    contacts = pd.DataFrame(rows, columns=names).astype({"at": "datetime64[us]"})
    found = contact_changes(contacts, customers=customers).to_pylist()
    assert [tuple(row.values()) for row in found] == [
        ("a", "email", NO_CONSENT, dt.date(2025, 1, 5), "unsubscribed"),
        ("b", "email", NO_ADDRESS, dt.date(2025, 3, 1), "adresse inconnue"),
    ]
