"""What to say to whoever is here now, as MLflow serves it: requests in, decisions out.

Requests are plain objects, answered from arrays in memory; what is wrong with one comes back
as status 400. Every answer goes into one log, the same for the web page and the adviser.
"""

import json
import logging
import os
import time
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from customer360.models.intent import IntentModel
from customer360.planning.decide import RequestError, decide, read_request
from customer360.planning.state import ServiceState

LOG_BYTES, LOG_FILES = 64_000_000, 16
# MLflow lets values of several types through: `read_request` says what is wrong in words.
Value = str | int | float | list | dict | None


class NextBestAction(PythonModel):
    """Requests in, one decision each out; see `customer360.planning.decide`."""

    # The parameter must bear the name `context`: MLflow looks for it.
    def load_context(self, context: Any) -> None:
        self.state = ServiceState.load(Path(context.artifacts["state"]))
        intent = Path(context.artifacts["intent"])
        learnt = (intent / "intent.json").stat().st_size > len("{}\n")
        self.intent = IntentModel.load(intent) if learnt else None
        self.log = _open_log(os.environ.get("DECISION_LOG"))

    def predict(
        self, context: Any, model_input: list[dict[str, Value]], params: Any = None
    ) -> list[dict[str, Value]]:
        now = datetime.now(UTC)
        return [self._answer(given, now, number) for number, given in enumerate(model_input, 1)]

    def _answer(self, given: Any, now: datetime, number: int) -> dict[str, Any]:
        started = time.perf_counter()
        try:
            request = read_request(given, moment=now)
        except RequestError as error:
            raise MlflowException.invalid_parameter_value(f"request {number}: {error}") from None
        answer = decide(self.state, request, intent=self.intent)
        if self.log:
            # Ids and what was said; nothing of what the person typed.
            kept = {"visitor_id": request.visitor_id, **answer}
            kept["answered_in_ms"] = round((time.perf_counter() - started) * 1000, 3)
            self.log.info(json.dumps(kept, ensure_ascii=False))
        return answer


def _open_log(path: str | None) -> logging.Logger | None:
    """JSON lines in files that turn over; none unless the server names the place."""
    if not path:
        return None
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger("customer360.decisions")
    for open_before in list(log.handlers):
        log.removeHandler(open_before)
        open_before.close()
    log.propagate = False
    log.addHandler(
        RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    )
    log.setLevel(logging.INFO)
    return log


set_model(NextBestAction())
