"""How often the gate is wrong: two classifiers of 90% accuracy on simulated rows, compared a thousand times.

    python benchmarks/gate_simulation.py 1000

Four classes, nine slices. The two differ on few rows (4%), on as many as two trainings of one network do (10%), or
err independently of each other, which no two classifiers of the same articles do. Prints what was decided of equal
ones, and of one that is worse by twice the margin and by the margin, with the numbers of params.yaml.
"""

import gc
import sys
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl

from gazette.core import files
from gazette.evaluation.gate.non_inferiority import check_non_inferiority, compare_slices
from gazette.evaluation.gate.paired_tests import Pair
from gazette.evaluation.gate.rules import Rules
from gazette.registry.verdict import decide

CLASSES, RIGHT = 4, 0.9


def shares(apart: float | None, drop: float) -> list[float]:
    """Return the shares of rows that both, only theirs, only ours and neither classify correctly.

    `apart` is the share of discordant rows (None: independent errors).

    Theirs is right on `RIGHT` of the rows, ours on `drop` less.
    """
    ours = RIGHT - drop
    both = RIGHT * ours if apart is None else (RIGHT + ours - max(apart, drop)) / 2
    return [both, RIGHT - both, ours - both, 1 - RIGHT - ours + both]


def pair(rows: int, kinds: list[float], draw: np.random.Generator) -> Pair:
    """Simulate rows of those kinds; a wrong prediction is any other class, and the same if both are wrong."""
    actual = np.arange(rows) % CLASSES
    kind = draw.choice(4, size=rows, p=kinds)
    wrong = (actual + draw.integers(1, CLASSES, size=rows)) % CLASSES
    ours, theirs = (np.where(np.isin(kind, right), actual, wrong) for right in ([0, 2], [0, 1]))
    return Pair(actual, ours, theirs, CLASSES)


def slices(rows: int) -> pl.DataFrame:
    """Return the slices: classes, thirds and halves, which may be fixed because rows are exchangeable."""
    row = np.arange(rows)
    kinds = {"class": row % CLASSES, "length": row // CLASSES % 3, "digits": row // (3 * CLASSES) % 2}
    return pl.concat(
        pl.DataFrame({"slice": kind, "value": values.astype(str), "row": row}) for kind, values in kinds.items()
    )


def main(times: int) -> None:
    """Print the table."""
    rules = Rules.model_validate(files.read_yaml(Path("params.yaml"))["gate"])
    gc.freeze()  # statsmodels collects garbage at every correction, which takes a quarter of a second
    head = "| rows | right in one alone | worse by | accept | inconclusive | reject |"
    print(head, "|---|---|---|---|---|---|", sep="\n")
    for drop, rows, apart in product((0.0, 2 * rules.margin, rules.margin), (2000, 8000), (0.04, 0.10, None)):
        draw, kinds, parts, words = np.random.default_rng(rows), shares(apart, drop), slices(rows), []
        for _ in range(times):
            both = pair(rows, kinds, draw)
            findings, _ = compare_slices(parts, both, rules)
            words.append(decide([check_non_inferiority(both, rules)[0], *findings]))
        rates = " | ".join(f"{words.count(word) / times:.1%}" for word in ("accept", "inconclusive", "reject"))
        print(f"| {rows:,} | {kinds[1] + kinds[2]:.1%} | {drop:.1%} | {rates} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
