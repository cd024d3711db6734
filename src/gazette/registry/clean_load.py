"""Load a version as any consumer would: from the registry, in a process that cannot import Gazette or TensorFlow.

Run as a script, with Python's option -I. Reads from standard input which version to load into which folder and the
texts to classify; writes the predictions, the timings and the imported packages to standard output.
"""

import contextlib
import json
import os
import sys
import time
from typing import Any

FORBIDDEN = ("gazette", "tensorflow", "keras", "tf2onnx", "dvc", "prefect")


def load_and_predict(registry: str, version: str, folder: str, texts: list[str]) -> dict[str, Any]:
    """Return the predictions, the seconds to load (with download and imports) and the milliseconds per article."""
    began = time.perf_counter()
    import mlflow

    mlflow.set_tracking_uri(registry)
    model = mlflow.pyfunc.load_model(f"models:/{version}", dst_path=folder)
    model.predict(texts[:1])
    loaded = time.perf_counter()
    answers = model.predict(texts)
    return {
        "answers": answers,
        "seconds_to_load": loaded - began,
        "milliseconds_per_article": (time.perf_counter() - loaded) * 1000 / len(texts),
        "imported": sorted({name.partition(".")[0] for name, module in sys.modules.items() if module is not None}),
    }


if __name__ == "__main__":
    sys.modules.update(dict.fromkeys(FORBIDDEN))  # type: ignore[arg-type]  # with None, an import fails
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    with contextlib.redirect_stdout(sys.stderr):
        _result = load_and_predict(**json.load(sys.stdin))
    json.dump(_result, sys.stdout)
