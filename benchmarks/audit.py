"""How many wrong labels an audit finds: labels are flipped at random, and its list is compared with the flips.

    python benchmarks/audit.py data/validated/articles.parquet          5% of all rows
    python benchmarks/audit.py data/validated/articles.parquet 20000    5% of 20,000 of them

Chance finds the share that was flipped. Errors in the corpus itself count against the audit here.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
from ruamel.yaml import YAML

from gazette.core import articles
from gazette.evaluation.audit import audit

SHARE, FOLDS = 0.05, 5

table = articles.read_articles(Path(sys.argv[1])).sort("file", "line")
random = np.random.default_rng(7)
if sys.argv[2:]:
    table = table[np.sort(random.choice(table.height, int(sys.argv[2]), replace=False))]
names = sorted(set(table["label"]))
true = articles.encode_labels(table["label"], names)
flipped = random.choice(table.height, round(SHARE * table.height), replace=False)
noisy = true.copy()
noisy[flipped] = (true[flipped] + random.integers(1, len(names), len(flipped))) % len(names)
table = table.with_columns(true="label", label=pl.Series([names[number] for number in noisy]))

numbers = YAML(typ="safe", pure=True).load(Path("params.yaml"))
fixed = {key: numbers["train"][key] for key in ("seed", "threads", "onednn")}
start = time.monotonic()
suspects, estimates = audit.audit_labels(table.drop("true"), numbers["models"]["linear"], folds=FOLDS, **fixed)
seconds, peak = time.monotonic() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

listed = suspects.join(table.select("file", "line", "true"), on=["file", "line"], how="left", maintain_order="left")
hits = (listed["label"] != listed["true"]).to_numpy()
count = len(flipped)
print(
    f"{table.height:,} rows, {count:,} flipped, {estimates['estimated_errors'].sum():,} estimated\n"
    f"first {count:,} of the list: precision and recall {hits[:count].sum() / count:.3f}, chance {SHARE:.3f}\n"
    f"whole list ({suspects.height:,}): precision {hits.mean():.3f}, recall {hits.sum() / count:.3f}\n"
    f"{seconds:.0f} s, {peak:,.0f} MB"
)
