"""Parameters and results that others published, found again to the digits they gave.

CDNOW: customers who first bought in the first quarter of 1997, learnt to 30 September 1997,
time in weeks to the day (not rounded to 0.01 week as in the summary files), several orders
on one day being one purchase.
"""

from __future__ import annotations

import importlib.resources
from datetime import date

import pandas as pd
import pytest

from customer360.evaluation import clv_holdout_metrics
from customer360.features.btyd_summary import summarise_purchases
from customer360.models.btyd import fit_btyd, fit_gamma_gamma
from customer360.models.clv import holdout_table, predict_holdout

CALIBRATION_END, HOLDOUT_END = date(1997, 9, 30), date(1998, 6, 30)


def cdnow_days(file_name: str, columns: list[str], *, header_lines: int) -> pd.DataFrame:
    path = importlib.resources.files("lifetimes") / "datasets" / file_name
    with path.open() as file:
        lines = pd.read_csv(
            file,
            sep=r"\s+",
            header=None,
            skiprows=header_lines,
            names=columns,
            dtype={"customer_id": str, "day": str},
        )
    lines["day"] = pd.to_datetime(lines["day"], format="%Y%m%d")
    return lines.groupby(["customer_id", "day"], as_index=False)["margin"].sum()


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    columns = ["master_id", "customer_id", "day", "cds", "margin"]
    days = cdnow_days("CDNOW_sample.txt", columns, header_lines=0)
    return summarise_purchases(days, until=CALIBRATION_END)


@pytest.fixture(scope="module")
def full() -> pd.DataFrame:
    columns = ["customer_id", "day", "cds", "margin"]
    days = cdnow_days("CDNOW_master.txt", columns, header_lines=1)
    return holdout_table(days, calibration_end=CALIBRATION_END, holdout_end=HOLDOUT_END)


PUBLISHED = [
    # Fader, Hardie and Lee (2005), table 2: BG/NBD and Pareto/NBD with log-likelihoods.
    ("bg_nbd", {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, -9582.4),
    ("pareto_nbd", {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}, -9595.0),
    # Batislam, Denizel and Filiztekin (2007): MBG/NBD.
    ("mbg_nbd", {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, None),
]


@pytest.mark.parametrize(("name", "params", "log_likelihood"), PUBLISHED)
def test_published_parameters(sample, name, params, log_likelihood):
    model = fit_btyd(sample, model=name, time_unit_days=7.0)
    assert model.n_customers == 2357
    assert {key: round(value, 3) for key, value in model.params.items()} == params
    if log_likelihood is not None:
        assert round(model.log_likelihood, 1) == log_likelihood


def test_published_gamma_gamma(sample):
    """Fader and Hardie (2013), on the 946 customers who bought again."""
    model = fit_gamma_gamma(sample)
    assert model.n_customers == 946
    assert (round(model.p, 2), round(model.q, 2), round(model.v, 2)) == (6.25, 3.74, 15.44)


# lifetimes 0.11.3 as shipped, all 23,570 customers, 39 weeks to learn and 39 to predict.
AS_SHIPPED = [("bg_nbd", -0.143, 1.733, 0.442), ("pareto_nbd", -0.129, 1.726, 0.452)]


@pytest.mark.parametrize(("name", "total_error", "rmse", "spearman"), AS_SHIPPED)
def test_holdout_of_the_whole_cdnow(full, name, total_error, rmse, spearman):
    metrics = clv_holdout_metrics(predict_holdout(full, btyd=fit_btyd(full, model=name)))
    assert len(full) == 23570
    assert metrics["holdout_transactions_actual"] == 19684
    assert round(metrics["holdout_total_error"], 3) == total_error
    assert round(metrics["rmse_transactions"], 3) == rmse
    assert round(metrics["spearman_transactions"], 3) == spearman
    assert metrics["poisson_deviance"] < metrics["naive_poisson_deviance"]
