"""Intent as MLflow serves it: hits of visitors so far in, what they are about to do out."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from customer360.models.intent import IntentModel


class ServedIntent(PythonModel):
    """Hits of one visitor or many in; one row per visitor out, by visitor_id."""

    # The parameter must bear the name `context`: MLflow looks for it.
    def load_context(self, context: Any) -> None:
        self.model = IntentModel.load(Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        return self.model.predict(model_input)


set_model(ServedIntent())
