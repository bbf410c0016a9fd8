"""Response as MLflow serves it: signals of contacts in, orders expected and extra ones out."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from customer360.models.uplift import UpliftModel


class ServedResponse(PythonModel):
    """Signals of a contact (`features.contact_signals`) in; one row per contact out."""

    # The parameter must bear the name `context`: MLflow looks for it.
    def load_context(self, context: Any) -> None:
        self.model = UpliftModel.load(Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        return self.model.predict(model_input)


set_model(ServedResponse())
