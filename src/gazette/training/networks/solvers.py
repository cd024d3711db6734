"""Linear classifiers on sparse rows: no learning rate, one solution."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse, special
from sklearn.svm import LinearSVC

Numbers = npt.NDArray[np.float64]
_EXACT = 0.01  # liblinear's tolerance; a hundredth of it changes no figure and takes half as long again


def directions(counts: sparse.csr_matrix, says: Numbers) -> sparse.csr_matrix:
    """Rows of counts times what each column may say, each over √(Σ count · says²): its length, were counts ones."""
    length = np.sqrt((counts @ says**2).clip(min=1e-12))
    return (sparse.diags(1 / length) @ counts @ sparse.diags(says)).tocsr()


def solve(
    rows: sparse.csr_matrix, target: npt.NDArray[Any], share: Numbers, cost: float, seed: int
) -> tuple[Numbers, Numbers, int]:
    """Weights (columns × classes), biases and the passes over the rows of a linear SVM, each class against the rest.

    Half the squares of the weights and biases + `cost` · `share` of a row · its squared hinge are least, by liblinear's
    dual coordinate descent: R. Fan et al., "LIBLINEAR: A Library for Large Linear Classification", JMLR 9, 2008. A row
    whose `target` is a probability counts as both, in parts.
    """
    found = []
    for p in target.T:
        yes, no = np.flatnonzero(p > 0), np.flatnonzero(p < 1)
        sides = np.repeat([1, 0], [len(yes), len(no)])
        counts = np.concatenate([p[yes], 1 - p[no]]) * share[np.concatenate([yes, no])]
        machine = LinearSVC(C=cost, tol=_EXACT, random_state=seed)
        found.append(machine.fit(sparse.vstack([rows[yes], rows[no]]), sides, counts))
    weights, bias = (np.vstack([getattr(one, name) for one in found]) for name in ("coef_", "intercept_"))
    return weights.T, bias[:, 0], max(int(one.n_iter_) for one in found)


def informativeness(per_class: Numbers, rows: Numbers, smoothing: float) -> Numbers:
    """How much each n-gram may say: idf · √KL, so that what is common or says little about the class is held back.

    `per_class` is how many rows of each class have it, `rows` how many rows each class has. idf = 1 + ln((1 + rows) /
    (1 + rows with it)); KL = Σ p(c | n-gram) ln(p(c | n-gram) / p(c)) over the classes, with p(c | n-gram) smoothed
    towards p(c). In the line of F. Debole and F. Sebastiani, "Supervised term weighting for automated text
    categorization", SAC 2003.
    """
    idf = 1 + np.log((1 + rows.sum()) / (1 + per_class.sum(axis=1)))
    prior = rows / rows.sum()
    p = per_class + smoothing * prior
    p /= p.sum(axis=1, keepdims=True)
    return np.asarray(idf * np.sqrt(special.rel_entr(p, prior).sum(axis=1).clip(min=0)))


def temperature(scores: Numbers, labels: npt.NDArray[np.int64]) -> float:
    """What scores are multiplied by so that their softmax is as sure as it is right.

    Platt's prior keeps it finite where every row is right: a label is certain up to 1 / (rows + 2).
    """
    certain = (len(labels) + 1) / (len(labels) + 2)
    found = optimize.minimize_scalar(
        lambda log_factor: surprise(np.exp(log_factor) * scores, labels, certain), bounds=(-5, 5), method="bounded"
    )
    return float(np.exp(found.x))


def surprise(scores: Numbers, labels: npt.NDArray[np.int64], certain: float = 1.0) -> float:
    """Cross-entropy of the scores' softmax in nats, a label having the probability `certain`."""
    log_p = special.log_softmax(scores, axis=1)
    right = log_p[np.arange(len(labels)), labels]
    others = (log_p.sum(axis=1) - right) / (scores.shape[1] - 1)
    return -float((certain * right + (1 - certain) * others).mean())
