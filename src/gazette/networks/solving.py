"""Linear classifiers on sparse rows, solved by L-BFGS: no learning rate, and nothing is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse, special

Numbers = npt.NDArray[np.float64]
Loss = Literal["softmax", "hinge"]
MEMORY = 3  # steps that L-BFGS remembers: with millions of weights, ten cost more than they save


@dataclass(frozen=True)
class Problem:
    """Rows × features, what each feature is made of (features × weights), rows × classes, and what each row counts."""

    x: sparse.csr_matrix
    made_of: sparse.csr_matrix
    target: Numbers
    share: Numbers


def solve(
    problem: Problem, loss: Loss, l2: float, iterations: int, note: Callable[[Numbers, Numbers, float, Numbers], None]
) -> tuple[Numbers, Numbers]:
    """Weights of the features (features × classes) and biases: least loss + l2 / 2 · squares of what they are made of.

    `note` hears the weights, the biases, the loss and the train rows' scores after each iteration. The last one is
    kept, the solution of a convex problem.
    """
    x, made_of, target, share = problem.x, problem.made_of, problem.target, problem.share
    x_transposed, made_of_transposed, classes = x.T.tocsr(), made_of.T.tocsr(), target.shape[1]
    lost = LOSSES[loss]
    latest: dict[str, Any] = {}

    def objective(flat: Numbers) -> tuple[float, Numbers]:
        w = flat.reshape(-1, classes)
        features = made_of @ w[:-1]
        scores = x @ features + w[-1]
        value, slope = lost(scores, target, share)
        latest.update(loss=value, scores=scores)
        gradient = np.vstack([made_of_transposed @ (x_transposed @ slope) + l2 * w[:-1], slope.sum(axis=0)])
        return value + l2 / 2 * (w[:-1] ** 2).sum(), gradient.ravel()

    def heard(flat: Numbers) -> None:
        w = flat.reshape(-1, classes)
        note(made_of @ w[:-1], w[-1], latest["loss"], latest["scores"])

    found = optimize.minimize(
        objective, np.zeros((made_of.shape[1] + 1) * classes), jac=True, method="L-BFGS-B", callback=heard,
        options={"maxiter": iterations, "ftol": 1e-6, "maxcor": MEMORY},
    )  # fmt: skip
    solved = found.x.reshape(-1, classes)
    return made_of @ solved[:-1], solved[-1]


def _softmax(scores: Numbers, target: Numbers, share: Numbers) -> tuple[float, Numbers]:
    log_p = special.log_softmax(scores, axis=1)
    return -(target * log_p * share).sum(), (np.exp(log_p) - target) * share


def _hinge(scores: Numbers, target: Numbers, share: Numbers) -> tuple[float, Numbers]:
    """Half the squared hinge of each class against the rest, as in liblinear's SVM."""
    sign = 2 * target - 1
    short = np.maximum(0, 1 - sign * scores)
    return (short**2 * share).sum() / 2, -sign * short * share


LOSSES = {"softmax": _softmax, "hinge": _hinge}  # of scores, classes and what each row counts: the loss and its slope


def informativeness(per_class: Numbers, rows: Numbers, smoothing: float) -> Numbers:
    """How much each n-gram may say: idf · √KL, so that L2 holds back what is common or says little about the class.

    `per_class` is how many rows of each class have it, `rows` how many rows each class has. idf = 1 + ln((1 + rows) /
    (1 + rows with it)); KL = Σ p(c | n-gram) ln(p(c | n-gram) / p(c)) over the classes, with p(c | n-gram) smoothed
    towards p(c). In the line of F. Debole and F. Sebastiani, "Supervised term weighting for automated text
    categorization", SAC 2003.
    """
    found = np.minimum(per_class.sum(axis=1), rows.sum())
    idf = 1 + np.log((1 + rows.sum()) / (1 + found))
    prior = rows / rows.sum()
    p = per_class + smoothing * prior
    p /= p.sum(axis=1, keepdims=True)
    return np.asarray(idf * np.sqrt(special.rel_entr(p, prior).sum(axis=1).clip(min=0)))


def letters(words: Sequence[str], orders: Sequence[int] = (3, 4, 5)) -> sparse.csr_matrix:
    """Words × n-grams of letters, each word between `<` and `>`; only what at least two words have is kept."""
    known: dict[str, int] = {}
    pairs = [
        (row, known.setdefault(marked[start : start + order], len(known)))
        for row, marked in enumerate(f"<{word}>" for word in words)
        for order in orders
        for start in range(len(marked) - order + 1)
    ]
    row, column = np.array(pairs, np.int64).reshape(-1, 2).T
    counts = sparse.csr_matrix((np.ones(len(row)), (row, column)), (len(words), len(known)))
    return counts[:, np.bincount(counts.indices, minlength=len(known)) > 1]


def temperature(scores: Numbers, labels: npt.NDArray[np.int64]) -> float:
    """What scores are multiplied by so that their softmax is as sure as it is right.

    Platt's prior keeps it finite where every row is right: a label is certain up to 1 / (rows + 2).
    """
    certain = (len(labels) + 1) / (len(labels) + 2)

    def surprise(log_factor: float) -> float:
        log_p = special.log_softmax(np.exp(log_factor) * scores, axis=1)
        right = log_p[np.arange(len(labels)), labels]
        others = (log_p.sum(axis=1) - right) / (scores.shape[1] - 1)
        return -float((certain * right + (1 - certain) * others).mean())

    return float(np.exp(optimize.minimize_scalar(surprise, bounds=(-5, 5), method="bounded").x))
