from __future__ import annotations

from datetime import date

import pandas as pd
from matplotlib import pyplot

from customer360.plots.scenarios import messages_by_week


def test_messages_are_counted_by_scenario_and_week():
    rows = [
        ("late", 2, date(2026, 3, 8), None), ("late", 2, date(2026, 3, 9), None),
        ("first_one", 1, date(2026, 3, 2), None), ("first_one", 1, date(2026, 3, 8), None),
        ("first_one", 1, date(2026, 3, 8), "no consent"), ("never", 3, date(2026, 3, 8), "no"),
    ]  # fmt: skip
    actions = pd.DataFrame(rows, columns=["scenario", "priority", "day", "stopped_by"])
    ax = messages_by_week(actions)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["first one", "late", "never"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2 Mar", "9 Mar"]
    assert [t.get_text() for t in ax.texts] == ["2", "0", "1", "1", "0", "0"]
    pyplot.close("all")
