"""A head on features of an encoder that stays as it is: multinomial logistic regression, solved rather than stepped."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, Field
from scipy import optimize, special
from threadpoolctl import threadpool_limits

from gazette.core.errors import Misconfigured
from gazette.training.encoders import bert, fine_tuning
from gazette.training.networks import learn as learning


class Params(BaseModel, frozen=True, extra="forbid"):
    """How far the head is held back, and how long it is solved for."""

    family: Literal["bert"]
    l2: float = Field(ge=0)  # of the weights of features that are scaled to a standard deviation of 1
    iterations: int = Field(ge=1, le=10_000)  # of L-BFGS, at most
    precision: learning.Precision = "float32"


def learn(
    folder: Path,
    params: Params,
    found: dict[str, np.ndarray],
    length: int,
    train: learning.Split,
    valid: learning.Split,
    classes: int,
) -> learning.Learned:
    """Solves for the head on features that were `found`: of `train`, the rows that were drawn, and of `valid`."""
    labels = train.labels[found["rows"]]
    if absent := sorted(set(range(classes)) - set(labels.tolist())):
        raise Misconfigured(f"{len(absent)} classes have no row among those drawn; raise features.rows in params.yaml")
    mean, scale = found["train"].mean(axis=0), found["train"].std(axis=0) + 1e-6
    seen, held_out = ((found[split] - mean) / scale for split in ("train", "valid"))
    weights, curve = solve(params, seen.astype(np.float64), labels, held_out.astype(np.float64), valid.labels, classes)
    kernel = weights[:-1] / scale[:, None]
    bias = weights[-1] - mean @ kernel
    network = fine_tuning.classifier(bert.encoder(folder), classes)
    network.get_layer("probabilities").set_weights([kernel, bias])
    fitted = special.softmax(found["valid"] @ kernel + bias, axis=1).astype(np.float32)
    return learning.Learned(
        network, {"inputs": bert.tokenizer(folder, length)}, length, params.precision, curve, fitted
    )


def solve(
    params: Params, seen: np.ndarray, labels: np.ndarray, held_out: np.ndarray, answers: np.ndarray, classes: int
) -> tuple[np.ndarray, list[dict[str, float]]]:
    """The weights, features and a bias × classes, and the learning curve, a dict per iteration."""
    target = np.eye(classes)[labels]
    latest: dict[str, float] = {}
    curve: list[dict[str, float]] = []

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = flat.reshape(-1, classes)
        log_p = special.log_softmax(seen @ w[:-1] + w[-1], axis=1)
        latest.update(_figures("train", log_p, labels))
        slope = (np.exp(log_p) - target) / len(target)
        gradient = np.vstack([seen.T @ slope + params.l2 * w[:-1], slope.sum(axis=0)])
        return latest["train_loss"] + params.l2 / 2 * (w[:-1] ** 2).sum(), gradient.ravel()

    def note(flat: np.ndarray) -> None:
        w = flat.reshape(-1, classes)
        log_p = special.log_softmax(held_out @ w[:-1] + w[-1], axis=1)
        curve.append({"epoch": len(curve) + 1, **latest, **_figures("valid", log_p, answers)})

    with threadpool_limits(1):  # two threads add in another order than one
        solved = optimize.minimize(
            objective, np.zeros((seen.shape[1] + 1) * classes), jac=True, method="L-BFGS-B", callback=note,
            options={"maxiter": params.iterations},
        )  # fmt: skip
    return solved.x.reshape(-1, classes), curve


def _figures(split: str, log_p: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    loss = -log_p[np.arange(len(log_p)), labels].mean()
    return {f"{split}_loss": float(loss), f"{split}_accuracy": float((log_p.argmax(axis=1) == labels).mean())}
