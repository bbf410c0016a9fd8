"""Cells as people type them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from customer360.worlds.parsing import (
    clean,
    fold,
    guess_date_formats,
    guess_number_style,
    to_flag,
    to_number,
    to_text,
    to_time,
)


def times(values, formats, zone="Europe/Paris", dtype="str"):
    read = to_time(pd.Series(values, dtype=dtype), formats=formats, zone=zone)
    return [None if pd.isna(t) else t.strftime("%Y-%m-%d %H:%M") for t in read]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12,50", 12.5),
        ("1 234,50 €", 1234.5),
        ("1\u202f234,50\u00a0€", 1234.5),
        ("€ 12", 12.0),
        ("(12,50)", -12.5),
        ("12,50-", -12.5),
        ("−3", -3.0),
        ("-1 234,5 EUR", -1234.5),
        ("1,2E+03", 1200.0),
        (",5", 0.5),
        ("12.50", np.nan),
        ("12 50", np.nan),
        ("1,234,567", np.nan),
        ("(12,50", np.nan),
        ("--3", np.nan),
        ("gratuit", np.nan),
        ("20 %", np.nan),
    ],
)
def test_french_numbers(text, value):
    read = to_number(clean(pd.Series([text], dtype="str")), decimal=",")
    np.testing.assert_equal(read.iloc[0], value)


def test_thousands_are_groups_of_three():
    cells = pd.Series(["1.234,50", "12.50", "1.234.567"], dtype="str")
    read = to_number(cells, decimal=",", thousands=".")
    np.testing.assert_equal(read.to_numpy(), [1234.5, np.nan, 1234567.0])


def test_typed_numbers_keep_their_value_whatever_the_decimal_sign():
    read = to_number(pd.Series([12.5, 3, "4,5", True], dtype=object), decimal=",")
    np.testing.assert_equal(read.to_numpy(), [12.5, 3.0, 4.5, np.nan])


def test_percent_only_where_a_share_is_meant():
    cells = pd.Series(["20 %"], dtype="str")
    assert to_number(cells, percent=True).iloc[0] == pytest.approx(0.2)


def test_a_day_without_a_time_stays_on_its_day():
    assert times(["31/12/2025"], ["%d/%m/%Y"]) == ["2025-12-31 00:00"]
    assert times(["2025-12-31 00:00:00"], ["iso"]) == ["2025-12-31 00:00"]


def test_times_become_utc_with_summer_time():
    read = times(["2025-01-15 00:30", "2025-07-15 12:00"], ["iso"])
    assert read == ["2025-01-14 23:30", "2025-07-15 10:00"]


def test_an_evening_does_not_pass_for_the_next_day():
    cells = pd.Series(["2025-12-31 19:00", "2025-12-31"], dtype="str")
    evening, day = to_time(cells, formats=["iso"], zone="America/New_York")
    assert evening == pd.Timestamp("2026-01-01 00:00:00.000001")
    assert day == pd.Timestamp("2025-12-31")


def test_hours_that_exist_twice_or_never():
    # 26 October 2025, 2:30 exists twice; 30 March 2025, 2:30 does not exist.
    read = times(["2025-10-26 02:30", "2025-03-30 02:30"], ["iso"])
    assert read == ["2025-10-26 00:30", "2025-03-30 01:00"]


def test_an_offset_in_the_value_is_used():
    read = times(["2025-12-31T00:00:00Z", "2025-12-31T00:30:00+01:00"], ["iso"])
    assert read == ["2025-12-31 00:00", "2025-12-30 23:30"]


def test_formats_are_tried_in_order_and_serials_read():
    read = times(
        ["31/12/2025", "31/12/25", "46022", "2025-12-31"], ["%d/%m/%Y", "%d/%m/%y", "excel"]
    )
    assert read == ["2025-12-31 00:00"] * 3 + [None]
    typed = [dt.date(2025, 12, 31), dt.datetime(2025, 12, 31, 12, 0), 20251231]
    assert times(typed, ["%Y%m%d"], dtype=object) == [
        "2025-12-31 00:00",
        "2025-12-31 11:00",
        "2025-12-31 00:00",
    ]


def test_a_year_alone_is_not_a_date():
    assert times(["2025", "12"], ["iso"]) == [None, None]


def test_flags():
    cells = pd.Series(["Oui", "non", "X", "TRUE", "0", "peut-être"], dtype="str")
    assert to_flag(cells).tolist()[:5] == [True, False, True, True, False]
    assert to_flag(cells).isna().tolist() == [False] * 5 + [True]


def test_text_of_typed_cells():
    cells = pd.Series([12.0, 1.5, True, dt.datetime(2025, 1, 2), "a"], dtype=object)
    assert to_text(cells).tolist() == ["12", "1.5", "true", "2025-01-02", "a"]


def test_blanks_are_missing():
    cells = pd.Series(["", " ", "\u00a0", "NULL", "#N/A", "-", " a "], dtype="str")
    assert clean(cells).isna().sum() == 6
    assert clean(cells).iloc[-1] == "a"
    assert clean(cells.astype(object)).isna().sum() == 6


@pytest.mark.parametrize(
    ("texts", "formats", "sure"),
    [
        (["31/12/2025", "01/02/2025"], ["%d/%m/%Y"], True),
        (["12/31/2025", "01/02/2025"], ["%m/%d/%Y"], True),
        (["01/02/2025", "03/04/2025"], ["%d/%m/%Y"], False),
        (["31/12/25"], ["%d/%m/%y"], True),
        (["2025-12-31", "2025-12-31 10:00:00"], ["iso"], True),
        (["31/12/2025 14:05", "30/12/2025 09:00"], ["%d/%m/%Y %H:%M"], True),
        (["31.12.2025"], ["%d.%m.%Y"], True),
        (["20251231", "20250115"], ["%Y%m%d"], True),
        (["46022", "45999"], ["excel"], True),
        (["31/12/2025", "30/11/2025", "12/31/2025"], ["%d/%m/%Y"], False),
        (["lundi", "mardi"], [], True),
    ],
)
def test_date_formats_are_recognised(texts, formats, sure):
    assert guess_date_formats(texts) == (formats, sure)


@pytest.mark.parametrize(
    ("texts", "style"),
    [
        (["12", "13"], (".", None)),
        (["12.5", "13"], (".", None)),
        (["12,5", "13"], (",", None)),
        (["1.234,50", "12,00", "3"], (",", ".")),
        (["1,234.50", "12.00", "3"], (".", ",")),
        (["a", "b"], None),
    ],
)
def test_number_styles_are_recognised(texts, style):
    assert guess_number_style(texts) == style


def test_fold():
    assert fold("  PAYÉE  le ") == "payee le"
