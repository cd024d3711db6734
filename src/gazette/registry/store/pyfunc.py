"""The code of a registered version: MLflow runs this file, with `bundle.py` and `token_ids.py` beside it.

It needs only ONNX Runtime, tokenizers, numpy and MLflow, so that any `mlflow.pyfunc.load_model` can serve it.
"""

from typing import Any

import mlflow.pyfunc
import pydantic


class Answer(pydantic.BaseModel):
    """The most probable label of a text, its probability, and those of all labels."""

    label: str
    probability: float
    probabilities: dict[str, float]


class Classifier(mlflow.pyfunc.PythonModel):
    """An MLflow model from texts to answers."""

    def load_context(self, context: Any) -> None:
        """Load the bundle that was logged with this version."""
        from bundle import Bundle  # type: ignore[import-not-found]  # lies in the version's own code folder

        self.bundle = Bundle(context.artifacts["bundle"])

    def predict(self, context: Any, model_input: list[str], params: Any = None) -> list[Answer]:
        """Return one answer per text, in the same order."""
        labels = self.bundle.labels
        return [
            Answer(
                label=labels[row.argmax()],
                probability=float(row.max()),
                probabilities=dict(zip(labels, row.tolist(), strict=True)),
            ).model_dump()  # type: ignore[misc]  # MLflow describes an Answer and serves its fields
            for row in self.bundle.probabilities(model_input)
        ]


mlflow.models.set_model(Classifier())
