"""Customer lifetime value as MLflow serves it: purchase summaries in, forecasts out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from customer360.models.clv import ClvModel


class ServedClv(PythonModel):
    """Frequency, recency, T and monetary value in, expected purchases and value out.

    The parameter `horizon_days` takes the place of the model's own horizon.
    """

    # The parameter must bear the name `context`: MLflow looks for it.
    def load_context(self, context: Any) -> None:
        text = Path(context.artifacts["model"]).read_text(encoding="utf-8")
        self.model = ClvModel.from_json(text)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        horizon_days = (params or {}).get("horizon_days", self.model.horizon_days)
        return replace(self.model, horizon_days=horizon_days).predict(model_input)


set_model(ServedClv())
