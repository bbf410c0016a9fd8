"""Dissatisfaction as MLflow serves it: texts of conversations in, probabilities out."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from customer360.models.dissatisfaction import DissatisfactionModel


class ServedDissatisfaction(PythonModel):
    """Text, reason and channel in, probability of dissatisfaction out."""

    # The parameter must bear the name `context`: MLflow looks for it.
    def load_context(self, context: Any) -> None:
        self.model = DissatisfactionModel.load(Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        return self.model.predict(model_input)


set_model(ServedDissatisfaction())
