"""A version as anyone loads it: from the registry, in a process that can import neither Gazette nor TensorFlow.

Started by its file's name, with Python's switch -I. Reads from standard input which version to load into which folder
and the texts to label; writes to standard output what it said, how long it took, and which packages were imported.
"""

import contextlib
import json
import os
import sys
import time
from typing import Any

FORBIDDEN = ("gazette", "tensorflow", "keras", "tf2onnx", "dvc", "prefect")


def tried(registry: str, version: str, folder: str, texts: list[str]) -> dict[str, Any]:
    """Answers to the texts, seconds to load (download and imports with it) and milliseconds for an article."""
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
    sys.modules.update(dict.fromkeys(FORBIDDEN))  # type: ignore[arg-type]  # None: an import of it fails
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    with contextlib.redirect_stdout(sys.stderr):
        _found = tried(**json.load(sys.stdin))
    json.dump(_found, sys.stdout)
