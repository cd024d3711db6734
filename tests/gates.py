"""Rules of a gate, as small as the pairs of classifiers that they judge."""

from gazette.evaluation.gate.rules import Floors, Rules

RULES = Rules(
    alpha=0.05, power=0.8, margin=0.02, resamples=500, seed=7, slice_margin=0.05, min_slice_rows=20,
    invariance_rows=10, min_invariance=0.9, warn_only=["milliseconds"],
    floors=Floors(accuracy=0.8, macro_f1=0.8, worst_recall=0.5, ece=0.1, megabytes=1, milliseconds=10),
)  # fmt: skip
