from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.features.btyd_summary import summarise_purchases
from customer360.models.btyd import Honeymoon, expected_purchases, fit_btyd
from customer360.models.forecast import backtest, forecast_coverage, forecast_months
from customer360.models.pace import fit_clock, fit_pace, is_seasonal

UNTIL = date(2025, 9, 30)


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    """Half of the customers stop in the middle of the year, and are seen to slow down."""
    rng = np.random.default_rng(3)
    parts = []
    for n, stops in ((300, 365), (300, 200)):
        gaps = rng.exponential(12.0, (n, 40)).round().clip(1).cumsum(axis=1)
        row, at = np.nonzero(gaps < stops)
        names = np.char.add(f"s{stops}-", row.astype(str))
        parts.append(pd.DataFrame({"customer_id": names, "offset": gaps[row, at]}))
    table = pd.concat(parts).drop_duplicates()
    day = pd.Timestamp("2025-01-01") + pd.to_timedelta(table["offset"], unit="D")
    table = table.assign(day=day, orders=1, net_amount=20.0, margin=8.0).drop(columns="offset")
    return table.sort_values(["customer_id", "day"], ignore_index=True)


def test_a_honeymoon_gains_its_days_and_then_follows_the_calendar():
    clock = Honeymoon(extra_days=30.0, fades_in_days=20.0)
    assert clock.read(0.0) == 0.0
    assert clock.read(400.0) - clock.read(300.0) == pytest.approx(100.0, abs=1e-3)
    assert clock.read(1000.0) == pytest.approx(1030.0)
    slope = (clock.read(10.0 + 1e-5) - clock.read(10.0)) / 1e-5
    assert clock.speed(10.0) == pytest.approx(slope, rel=1e-4)


def test_the_calendar_is_the_clock_of_those_without_haste(days):
    assert fit_clock(days, until=UNTIL).extra_days <= 15


def test_pace_keeps_the_total_and_knows_nothing_later(days):
    settings = {"until": UNTIL, "model": "bg_nbd", "clock": Honeymoon(), "window_days": 60}
    pace = fit_pace(days, seed=1, **settings)
    early = days[days["day"] <= pd.Timestamp(UNTIL)]
    again = fit_pace(early, seed=1, **settings)
    summary = summarise_purchases(days, until=UNTIL)
    btyd = fit_btyd(summary, model="bg_nbd")
    factor = pace.predict(days, btyd=btyd, as_of=UNTIL)
    pd.testing.assert_series_equal(factor, again.predict(early, btyd=btyd, as_of=UNTIL))
    plain = expected_purchases(btyd, summary, horizon_days=60).to_numpy()
    assert (plain * factor.to_numpy()).sum() == pytest.approx(plain.sum(), rel=1e-4)


def test_a_year_with_a_peak_is_seasonal():
    flat = pd.DataFrame({"day": pd.date_range("2024-01-01", "2024-12-31")})
    peak = pd.concat([flat, flat.tail(31)])
    assert not is_seasonal(flat, until=date(2024, 12, 31))
    assert is_seasonal(peak, until=date(2024, 12, 31))
    assert not is_seasonal(peak.tail(100), until=date(2024, 12, 31))


def test_the_forecast_adds_up_and_its_past_is_not_the_future(days):
    ahead = forecast_months(days, as_of=date(2025, 6, 30), months=3)
    total = ahead.groupby("customers")["transactions"].sum()
    assert total["all"] == pytest.approx(total["today"] + total["newcomers"])
    known = days[days["day"] <= pd.Timestamp("2025-06-30")]
    same = forecast_months(known, as_of=date(2025, 6, 30), months=3)
    pd.testing.assert_frame_equal(ahead, same)
    tested = backtest(days, first=date(2025, 1, 1), as_of=date(2025, 12, 31))
    assert tested["lead"].min() == 1 and 0 <= forecast_coverage(tested) <= 1
