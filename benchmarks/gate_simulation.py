"""How often the gate is wrong: two classifiers of 90 % on simulated rows, compared a thousand times.

    python benchmarks/gate_simulation.py 1000

Four classes, nine slices. The two differ on few rows (4 %), on as many as two trainings of one network do (10 %), or
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
from gazette.evaluation.gate import comparison
from gazette.evaluation.gate.rules import Rules
from gazette.registry.verdict import word

CLASSES, RIGHT = 4, 0.9


def shares(apart: float | None, drop: float) -> list[float]:
    """Of rows that both have right, theirs alone, ours alone and neither; `apart` is what one alone has (none: chance).

    Theirs is right on `RIGHT` of the rows, ours on `drop` less.
    """
    ours = RIGHT - drop
    both = RIGHT * ours if apart is None else (RIGHT + ours - max(apart, drop)) / 2
    return [both, RIGHT - both, ours - both, 1 - RIGHT - ours + both]


def pair(rows: int, kinds: list[float], draw: np.random.Generator) -> comparison.Pair:
    """Rows of those kinds; a wrong answer is any other class, the same one where both are wrong."""
    actual = np.arange(rows) % CLASSES
    kind = draw.choice(4, size=rows, p=kinds)
    wrong = (actual + draw.integers(1, CLASSES, size=rows)) % CLASSES
    ours, theirs = (np.where(np.isin(kind, right), actual, wrong) for right in ([0, 2], [0, 1]))
    return comparison.Pair(actual, ours, theirs, CLASSES)


def slices(rows: int) -> pl.DataFrame:
    """The classes, thirds and halves; rows are alike, so that these may stand fixed."""
    row = np.arange(rows)
    kinds = {"class": row % CLASSES, "length": row // CLASSES % 3, "digits": row // (3 * CLASSES) % 2}
    return pl.concat(
        pl.DataFrame({"slice": kind, "value": values.astype(str), "row": row}) for kind, values in kinds.items()
    )


def main(times: int) -> None:
    """Prints the table."""
    rules = Rules.model_validate(files.read_yaml(Path("params.yaml"))["gate"])
    gc.freeze()  # statsmodels collects garbage at every correction, which takes a quarter of a second
    head = "| rows | right in one alone | worse by | accept | cannot tell | reject |"
    print(head, "|---|---|---|---|---|---|", sep="\n")
    for drop, rows, apart in product((0.0, 2 * rules.margin, rules.margin), (2000, 8000), (0.04, 0.10, None)):
        draw, kinds, parted, said = np.random.default_rng(rows), shares(apart, drop), slices(rows), []
        for _ in range(times):
            one = pair(rows, kinds, draw)
            said.append(word([comparison.non_inferiority(one, rules)[0], *comparison.by_slice(parted, one, rules)[0]]))
        counted = " | ".join(f"{said.count(one) / times:.1%}" for one in ("accept", "cannot tell", "reject"))
        print(f"| {rows:,} | {kinds[1] + kinds[2]:.1%} | {drop:.1%} | {counted} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
