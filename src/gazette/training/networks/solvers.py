"""Linear classifiers on sparse rows: no learning rate, one solution."""

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse, special
from sklearn.svm import LinearSVC

from gazette.core.arrays import Array

Floats = npt.NDArray[np.float64]
_TOLERANCE = 0.01  # liblinear's; a hundredth of it changes no metric and takes half as long again


def l2_normalize(
    counts: sparse.csr_matrix,
    weights: Floats,
    columns: sparse.spmatrix | None = None,
    whole: sparse.csr_matrix | None = None,
) -> sparse.csr_matrix:
    """Return rows of counts times `columns`, each divided by the L2 norm that the n-grams times weights have.

    The norm is that of counts of 0 or 1, of `whole` if `counts` are a part of it. Without `columns`, each n-gram is its
    own column, times its weight.
    """
    length = np.sqrt(((counts if whole is None else whole) @ weights**2).clip(min=1e-12))
    return (sparse.diags(1 / length) @ counts @ (sparse.diags(weights) if columns is None else columns)).tocsr()


def solve_svm(
    rows: sparse.csr_matrix, targets: Array, row_weights: Floats, cost: float, seed: int
) -> tuple[Floats, Floats, int]:
    """Return weights (columns × classes), biases and iterations of a linear SVM, one class against the rest.

    Minimizes half the squared weights and biases + `cost` · Σ row weight · squared hinge loss, by liblinear's dual
    coordinate descent: R. Fan et al., "LIBLINEAR: A Library for Large Linear Classification", JMLR 9, 2008. A row whose
    target is a probability counts as a positive and a negative one in these parts.
    """
    models = []
    for p in targets.T:
        positive, negative = np.flatnonzero(p > 0), np.flatnonzero(p < 1)
        sides = np.repeat([1, 0], [len(positive), len(negative)])
        order = np.concatenate([positive, negative])
        weights = np.concatenate([p[positive], 1 - p[negative]]) * row_weights[order]
        svm = LinearSVC(C=cost, tol=_TOLERANCE, random_state=seed)
        models.append(svm.fit(rows[order], sides, weights))
    coefficients, bias = (np.vstack([getattr(svm, name) for svm in models]) for name in ("coef_", "intercept_"))
    return coefficients.T, bias[:, 0], max(int(svm.n_iter_) for svm in models)


def solve_parts(
    parts: list[sparse.csr_matrix], targets: Array, row_weights: Floats, cost: float, seed: int
) -> tuple[Floats, Floats, int]:
    """Return the sum of the solutions of `solve_svm` for each part of the rows, as if its rows had length 1.

    Each part alone must tell the classes apart, so none leans on the other.
    """
    if len(parts) == 1:
        return solve_svm(parts[0], targets, row_weights, cost, seed)
    squares = [part.power(2).sum() / part.shape[0] for part in parts]
    solutions = [
        solve_svm(part, targets, row_weights, cost / square, seed) for part, square in zip(parts, squares, strict=True)
    ]
    weights, biases, epochs = zip(*solutions, strict=True)
    return np.sum(weights, axis=0), np.sum(biases, axis=0), max(epochs)


def term_weights(per_class: Floats, rows: Floats, smoothing: float) -> Floats:
    """Return the weight of each n-gram, idf · √KL, which is small for common and for uninformative ones.

    `per_class` is the number of rows of each class with the n-gram (n-grams × classes), `rows` the number of rows of
    each class. idf = 1 + ln((1 + rows) / (1 + rows with it)); KL = Σ p(c | n-gram) ln(p(c | n-gram) / p(c)) over the
    classes, with p(c | n-gram) smoothed towards p(c). In the line of F. Debole and F. Sebastiani, "Supervised term
    weighting for automated text categorization", SAC 2003.
    """
    idf = 1 + np.log((1 + rows.sum()) / (1 + per_class.sum(axis=1)))
    prior = rows / rows.sum()
    p = per_class + smoothing * prior
    p /= p.sum(axis=1, keepdims=True)
    return np.asarray(idf * np.sqrt(special.rel_entr(p, prior).sum(axis=1).clip(min=0)))


def fit_temperature(scores: Floats, labels: npt.NDArray[np.int64]) -> float:
    """Return the factor for scores, 1 / temperature, that minimizes the cross-entropy of their softmax.

    Platt's prior keeps it finite if every row is correct: a label has a probability of at most 1 - 1 / (rows + 2).
    """
    certainty = (len(labels) + 1) / (len(labels) + 2)
    result = optimize.minimize_scalar(
        lambda log_factor: cross_entropy(np.exp(log_factor) * scores, labels, certainty),
        bounds=(-5, 5),
        method="bounded",
    )
    return float(np.exp(result.x))


def cross_entropy(scores: Floats, labels: npt.NDArray[np.int64], certainty: float = 1.0) -> float:
    """Return the cross-entropy of the scores' softmax in nats; a label has the probability `certainty`."""
    log_p = special.log_softmax(scores, axis=1)
    log_true = log_p[np.arange(len(labels)), labels]
    log_rest = (log_p.sum(axis=1) - log_true) / (scores.shape[1] - 1)
    return -float((certainty * log_true + (1 - certainty) * log_rest).mean())
