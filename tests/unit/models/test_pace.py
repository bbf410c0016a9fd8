from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.features.btyd_summary import summarise_purchases
from customer360.models.btyd import Honeymoon, expected_purchases, fit_btyd
from customer360.models.forecast import (
    backtest,
    forecast_coverage,
    forecast_months,
    with_interval,
)
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


def test_a_source_that_dries_up_is_foretold_to_go_on_drying():
    """Twice fewer newcomers each month: hardly any are expected of the year ahead."""
    offsets = np.repeat(np.arange(0, 240, 30), [256, 128, 64, 32, 16, 8, 4, 2])
    again = np.arange(len(offsets)) % 3 + 1
    first = pd.Timestamp("2025-01-05") + pd.to_timedelta(offsets, unit="D")
    later = first + pd.to_timedelta(again * 20, unit="D")
    names = [f"c{i:03}" for i in range(len(offsets))]
    table = pd.DataFrame({"customer_id": names * 2, "day": [*first, *later]})
    table = table.assign(orders=1, net_amount=20.0, margin=8.0)
    ahead = forecast_months(table, as_of=date(2025, 8, 31), months=6)
    came = ahead[ahead["customers"] == "newcomers"]["transactions"].to_numpy()
    steady = 14 / 91 * 30
    assert came[0] < steady
    assert came[-1] < came[0]


def test_growth_is_no_season():
    """Customers join month after month and buy evenly: no month stands out."""
    rng = np.random.default_rng(1)
    joined = rng.integers(0, 700, 400)
    gaps = rng.exponential(15.0, (400, 120)).round().clip(1).cumsum(axis=1)
    offset = np.column_stack([joined, joined[:, None] + gaps])
    row, at = np.nonzero(offset < 730)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(offset[row, at], unit="D")
    table = pd.DataFrame({"customer_id": row.astype(str), "day": day}).drop_duplicates()
    table = table.assign(orders=1, net_amount=20.0, margin=8.0)
    ahead = forecast_months(table, as_of=date(2025, 12, 31), months=12)
    today = ahead[ahead["customers"] == "today"]["transactions"].to_numpy()
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    assert np.ptp(today / days) < 0.2 * (today / days).mean()


def test_the_interval_reaches_to_the_conformal_rank():
    errors = pd.DataFrame({"measure": "margin", "expected": 1.0, "actual": np.exp([0.1, 0.3, 0.2])})
    mine = pd.DataFrame({"measure": ["margin", "revenue"], "expected": [10.0, 5.0]})
    assert with_interval(mine, errors=errors)["low"].isna().all()
    fourth = errors.tail(1).assign(actual=np.exp(-0.4))
    drawn = with_interval(mine, errors=pd.concat([errors, fourth]))
    assert drawn.loc[0, "high"] == pytest.approx(10 * np.exp(0.4))
    assert drawn.loc[0, "low"] == pytest.approx(10 * np.exp(-0.4))
    assert np.isnan(drawn.loc[1, "high"])
    nine = pd.concat([errors, errors, errors])
    assert with_interval(mine, errors=nine).loc[0, "high"] == pytest.approx(10 * np.exp(0.3))
