"""A project with a history of runs, as DVC and git would have recorded them, without running any."""

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from prefect_dvc import hashing

STAGES = {
    "validate": ("--description data/corpora/tiny.yaml --raw data/raw/tiny "
                 "--validated data/validated/articles.parquet", ["data/raw/tiny"], ["data/validated/articles.parquet"]),
    "preprocess": ("--train data/clean/train.parquet --valid data/clean/valid.parquet --test data/clean/test.parquet",
                   ["data/validated/articles.parquet"],
                   ["data/clean/train.parquet", "data/clean/valid.parquet", "data/clean/test.parquet"]),
    "train@one": ("--candidate one --score reports/candidates/one.json",
                  ["data/clean/train.parquet", "src/gazette/fit"], ["models/candidates/one"]),
    "select": ("--bundle models/selected --selection reports/selection.json", ["models/candidates/one"],
               ["models/selected"]),
    "evaluate": ("--test data/clean/test.parquet --metrics reports/metrics.json "
                 "--predictions data/predictions/predictions.parquet",
                 ["models/selected", "data/clean/test.parquet"],
                 ["data/predictions/predictions.parquet", "reports/metrics.json"]),
}  # fmt: skip
IGNORED = "/data/raw/tiny\n/data/validated\n/data/clean\n/data/predictions\n/models\n/.gazette\n"
DESCRIPTION = """\
language: en
labels: [sport, trade]
files: {train: [{format: csv, path: all.csv, header: true, text: [text], label: label}]}
source: made here
terms: nobody | may
"""


@dataclass(frozen=True)
class Run:
    """What a run reads and makes; `predicted` is the class of each test article; it is correct by default."""

    articles: list[tuple[str, str, str]]  # text, label, split
    predicted: dict[str, str] = field(default_factory=dict)
    seed: int = 7
    code: str = "fit = 1\n"
    keras: str = "3.15.1"
    message: str = "run"


def git(*words: str) -> str:
    """What git says in this folder."""
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()


def begin() -> None:
    """A project without a run, in this folder."""
    git("init", "-q", "-b", "main")
    git("config", "user.email", "a@example.org")
    git("config", "user.name", "Ada")
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    Path(".gitignore").write_text(IGNORED + "/.dvc/cache\n/.dvc/config.local\n/.dvc/tmp\n")


def make_shallow() -> None:
    """Leave the repository in this folder only its last commit, as a clone of depth 1."""
    Path(".git/shallow").write_text(git("rev-parse", "HEAD") + "\n")


def commit(run: Run) -> str:
    """Lays down what a run would leave, and commits it."""
    lay_down(run)
    git("add", "-A")
    git("commit", "-q", "-m", run.message)
    return git("rev-parse", "HEAD")


def lay_down(run: Run) -> None:
    """Lays down what a run would leave: files, DVC's cache and its lock."""
    table = pl.DataFrame(run.articles, schema=["text", "label", "split"], orient="row")
    table = table.with_columns(file=pl.lit("all.csv"), line=pl.int_range(2, table.height + 2, dtype=pl.Int64))
    judged = table.filter(pl.col("split") == "test").with_columns(predicted=pl.col("text").replace(run.predicted))
    judged = judged.with_columns(
        predicted=pl.when(pl.col("text").is_in(list(run.predicted))).then("predicted").otherwise("label"),
        probability=0.9,
    )
    _write("data/corpora/tiny.yaml", DESCRIPTION)
    _write("data/raw/tiny/all.csv", table.select("label", "text").write_csv())
    _write("src/gazette/fit/fit.py", run.code)
    _write("requirements.lock", f"keras=={run.keras}\n")
    _write("environment.yaml", f'train:\n  keras: "{run.keras}"\n')
    _write("params.yaml", f"corpus: tiny\ntrain:\n  seed: {run.seed}\n")
    _write("reports/selection.json", json.dumps({"selected": "one"}))
    _write("reports/metrics.json", json.dumps(_metrics(judged)))
    bundle = json.dumps({"labels": ["sport", "trade"], "language": "en", "seed": run.seed, "predicted": run.predicted})
    for folder in ("models/candidates/one", "models/selected"):
        _write(f"{folder}/bundle.json", bundle)
    tables = {"data/validated/articles": table, "data/predictions/predictions": judged.drop("text")}
    for split in ("train", "valid", "test"):
        tables[f"data/clean/{split}"] = table.filter(pl.col("split") == split)
    for name, split_table in tables.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        split_table.write_parquet(f"{name}.parquet")
    raw = {"md5": cache("data/raw/tiny"), "hash": "md5", "path": "tiny"}
    _write("data/raw/tiny.dvc", json.dumps({"outs": [raw]}))
    stages = {name: _stage(name, run) for name in STAGES}
    _write("dvc.lock", json.dumps({"schema": "2.0", "stages": stages}, indent=1))
    outs = {name: {"cmd": stages[name]["cmd"], "deps": deps, "outs": outs} for name, (_, deps, outs) in STAGES.items()}
    _write("dvc.yaml", json.dumps({"stages": {name.replace("@", "_"): stage for name, stage in outs.items()}}))


def cache(path: str) -> str:
    """Put a file or folder into DVC's cache and return its hash."""
    place = Path(path)
    if not place.is_dir():
        digest = hashing.hash_file(place, "md5")
        _keep(digest, place.read_bytes())
        return digest
    files = {
        file.relative_to(place).as_posix(): cache(str(file)) for file in sorted(place.rglob("*")) if file.is_file()
    }
    digest = hashing.dvc_hash(place)
    _keep(digest, json.dumps([{"md5": md5, "relpath": name} for name, md5 in files.items()]).encode())
    return digest


def forget(digest: str) -> None:
    """Takes an object out of DVC's cache."""
    _object(digest).unlink()


def push(remote: Path) -> None:
    """Makes a DVC remote that has all that the cache has, and says so in its settings."""
    shutil.copytree(".dvc/cache", remote)
    Path(".dvc/config.local").write_text(f"[core]\n    remote = there\n['remote \"there\"']\n    url = {remote}\n")


def _metrics(judged: pl.DataFrame) -> dict[str, object]:
    share = float((judged["label"] == judged["predicted"]).mean() or 0)
    ends = {"low": share, "high": share}
    return {
        "accuracy": share, "macro_f1": share, "interval": {"accuracy": ends, "macro_f1": ends}, "rows": judged.height,
        "classes": {"sport": {"precision": 1.0, "recall": share, "f1": share, "rows": judged.height}}, "ece": 0.1,
    }  # fmt: skip


def _stage(name: str, run: Run) -> dict[str, object]:
    options, deps, outs = STAGES[name]
    word = name.partition("@")[0]
    params = {
        "train": {"params.yaml": {"train": {"seed": run.seed}}, "environment.yaml": {"train": {"keras": run.keras}}},
        "evaluate": {"params.yaml": {"evaluate": {"resamples": 200, "seed": 7, "confidence": 0.95}}},
    }
    return {
        "cmd": f"gazette {word} {options}",
        "deps": [{"path": path, "hash": "md5", "md5": cache(path)} for path in deps],
        "outs": [{"path": path, "hash": "md5", "md5": cache(path)} for path in outs],
        **({"params": params[word]} if word in params else {}),
    }


def _object(digest: str) -> Path:
    return Path(".dvc/cache/files/md5") / digest[:2] / digest[2:]


def _keep(digest: str, content: bytes) -> None:
    _object(digest).parent.mkdir(parents=True, exist_ok=True)
    _object(digest).write_bytes(content)


def _write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
