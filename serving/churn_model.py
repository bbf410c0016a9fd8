"""Churn probability as MLflow serves it: numbers in, probabilities out, no pickle."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from customer360.models.churn import ChurnModel


class ServedChurn(PythonModel):
    """Features of customers in, `churn_probability` out."""

    # The parameter must bear the name `context`: MLflow looks for it.
    def load_context(self, context: Any) -> None:
        self.model = ChurnModel.load(Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        return self.model.predict(model_input)


set_model(ServedChurn())
