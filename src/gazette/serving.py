"""The code of a registered version: MLflow runs this file, with `bundle.py` beside it, and nothing else of Gazette.

It needs ONNX Runtime, tokenizers, numpy and MLflow, so anyone's `mlflow.pyfunc.load_model` can answer.
"""

from typing import Any

import mlflow.pyfunc


class Classifier(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Texts in; for each its label, the label's probability and all probabilities out."""

    def load_context(self, context: Any) -> None:
        """Reads the bundle that was logged with this version."""
        from bundle import Bundle  # type: ignore[import-not-found]  # lies in the version's own code folder

        self.bundle = Bundle(context.artifacts["bundle"])

    def predict(self, context: Any, model_input: list[str], params: Any = None) -> list[dict[str, Any]]:
        """One answer per text, in the same order."""
        labels = self.bundle.labels
        return [
            {
                "label": labels[row.argmax()],
                "probability": float(row.max()),
                "probabilities": dict(zip(labels, row.tolist(), strict=True)),
            }
            for row in self.bundle.probabilities(model_input)
        ]


mlflow.models.set_model(Classifier())
