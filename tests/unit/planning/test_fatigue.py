from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.planning.fatigue import fatigue_share

START = pd.Timestamp("2025-03-03")


def world(loss: float, *, pairs: int = 20_000, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two messages a week apart; the second adds `loss` less after one that was sent."""
    rng = np.random.default_rng(seed)
    sent = rng.random((pairs, 2)) < 0.5
    effect = 0.3 * sent
    effect[:, 1] *= 1 - loss * sent[:, 0]
    # What is bought after the first falls before the second: the windows do not overlap.
    bought = rng.random((pairs, 2)) < 0.1 + effect
    who, which = (a.ravel() for a in np.indices((pairs, 2)))
    at = START + pd.to_timedelta(which * 15, unit="D")
    contacts = pd.DataFrame(
        {
            "customer_id": pd.Series(who).astype("str"),
            "contact_id": [f"{w}-{n}" for w, n in zip(who, which, strict=True)],
            "at": at,
            "event": np.where(sent.ravel(), "sent", "held_out"),
        }
    )
    orders = contacts[bought.ravel()].assign(status="paid")
    orders["ordered_at"] = orders["at"] + pd.Timedelta(days=2)
    return contacts, orders.rename(columns={"contact_id": "order_id"})


def test_the_loss_is_found_where_many_were_held_out():
    share, error = fatigue_share(*world(0.5), assumed_share=0.2)
    assert share == pytest.approx(0.5, abs=0.1) and error < 0.06
    share, _ = fatigue_share(*world(0.0), assumed_share=0.2)
    assert share < 0.08


def test_few_messages_leave_what_was_assumed():
    share, error = fatigue_share(*world(0.9, pairs=150), assumed_share=0.2)
    assert 0.15 < share < 0.8 and error > 0.07


def test_without_held_out_it_is_what_was_assumed():
    contacts, orders = world(0.5, pairs=200)
    all_sent = contacts.assign(event="sent")
    assert fatigue_share(all_sent, orders, assumed_share=0.2) == (0.2, 0.15)
    assert fatigue_share(contacts.iloc[:0], orders, assumed_share=0.3)[0] == 0.3
