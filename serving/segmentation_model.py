"""Micro-segments as MLflow serves them: features of customers in, segments out."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from customer360.segmentation.micro import SegmentationModel


class ServedSegmentation(PythonModel):
    """Features of customers in, the segment of each out."""

    # The parameter must bear the name `context`: MLflow looks for it.
    def load_context(self, context: Any) -> None:
        self.model = SegmentationModel.load(Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        return self.model.predict(model_input)


set_model(ServedSegmentation())
