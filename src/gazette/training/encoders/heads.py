"""A linear probe: multinomial logistic regression on features of a frozen encoder, solved by L-BFGS."""

from pathlib import Path
from typing import Literal

import numpy as np
from prefect_dvc.core.errors import ConfigError
from pydantic import BaseModel, Field
from scipy import optimize, special
from threadpoolctl import threadpool_limits

from gazette.training.encoders import bert, fine_tuning
from gazette.training.networks.family import Precision
from gazette.training.networks.learn import Learned, Split


class Params(BaseModel, frozen=True, extra="forbid"):
    """Regularization of the probe, and its solver's iterations."""

    family: Literal["bert"]
    l2: float = Field(ge=0)  # of the weights of standardized features
    max_iter: int = Field(ge=1, le=10_000)  # of L-BFGS
    precision: Precision = "float32"


def train_probe(
    folder: Path, params: Params, features: dict[str, np.ndarray], length: int, train: Split, valid: Split
) -> Learned:
    """Train the probe on `features`: those of the sampled `rows` of `train`, and those of all rows of `valid`."""
    labels = train.labels[features["rows"]]
    if missing := train.classes - len(np.unique(labels)):
        raise ConfigError(
            f"{missing} classes have no row in the sample; raise extract_features.max_rows in params.yaml"
        )
    mean, scale = features["train"].mean(axis=0), features["train"].std(axis=0) + 1e-6
    x, x_valid = (((features[split] - mean) / scale).astype(np.float64) for split in ("train", "valid"))
    weights, curve = solve_probe(params, x, labels, x_valid, valid.labels, train.classes)
    kernel = weights[:-1] / scale[:, None]
    bias = weights[-1] - mean @ kernel
    network = fine_tuning.build_classifier(bert.build_encoder(folder), train.classes)
    network.get_layer("probabilities").set_weights([kernel, bias])
    probabilities = special.softmax(features["valid"] @ kernel + bias, axis=1).astype(np.float32)
    tokenizers = {"inputs": bert.load_tokenizer(folder, length)}
    return Learned(network, tokenizers, length, params.precision, curve, probabilities)


def solve_probe(
    params: Params, x: np.ndarray, labels: np.ndarray, x_valid: np.ndarray, valid_labels: np.ndarray, classes: int
) -> tuple[np.ndarray, list[dict[str, float]]]:
    """Return the weights, (features + a bias) × classes, and the learning curve, a dict per iteration."""
    targets = np.eye(classes)[labels]
    latest: dict[str, float] = {}
    curve: list[dict[str, float]] = []

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = flat.reshape(-1, classes)
        log_p = special.log_softmax(x @ w[:-1] + w[-1], axis=1)
        latest.update(_loss_and_accuracy("train", log_p, labels))
        slope = (np.exp(log_p) - targets) / len(targets)
        gradient = np.vstack([x.T @ slope + params.l2 * w[:-1], slope.sum(axis=0)])
        return latest["train_loss"] + params.l2 / 2 * (w[:-1] ** 2).sum(), gradient.ravel()

    def record(flat: np.ndarray) -> None:
        w = flat.reshape(-1, classes)
        log_p = special.log_softmax(x_valid @ w[:-1] + w[-1], axis=1)
        curve.append({"epoch": len(curve) + 1, **latest, **_loss_and_accuracy("valid", log_p, valid_labels)})

    with threadpool_limits(1):  # the order of additions depends on the number of threads
        solution = optimize.minimize(
            objective, np.zeros((x.shape[1] + 1) * classes), jac=True, method="L-BFGS-B", callback=record,
            options={"maxiter": params.max_iter},
        )  # fmt: skip
    return solution.x.reshape(-1, classes), curve


def _loss_and_accuracy(split: str, log_p: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    loss = -log_p[np.arange(len(log_p)), labels].mean()
    return {f"{split}_loss": float(loss), f"{split}_accuracy": float((log_p.argmax(axis=1) == labels).mean())}
