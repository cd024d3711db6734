"""`gazette tune`, killed and resumed; its best values make the model that it announced."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from root import ROOT

from gazette.core import files

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("warm_commands")]

PARAMS = """\
corpus: tiny
candidates: [cnn]
pretrained: {fine_tune: {}, linear_probe: {}}
teachers: {}
train: {seed: 7, threads: 1, onednn: true, export_tolerance: 0.0001, resamples: 100}
models:
  linear:
    family: linear
    tokens: words
    vocabulary: 200
    min_frequency: 1
    length_quantile: 1.0
    max_length: 30
    ngrams: 1
    buckets: 512
    min_df: 18  # far too high
    max_features: 700
    smoothing: 1.0
    class_weight: null
    C: 1.0
tune:
  linear: {C: {low: 0.001, high: 1.0, log: true}, min_df: [1, 18]}
  cnn: {filters: [1, 2]}
"""
WORDS = {"sports": ["goal", "match", "coach"], "business": ["shares", "bank", "profit"]}
GAZETTE = [sys.executable, "-m", "gazette"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw = np.random.default_rng(3)
    labels = [("sports", "business")[number % 2] for number in range(80)]
    texts = [" ".join(draw.choice([*WORDS[label], "the", "of", "said", "after"], size=6)) for label in labels]
    table = pl.DataFrame({"text": texts, "label": labels, "split": "train", "file": "a", "line": range(1, 81)})
    (tmp_path / "data/clean").mkdir(parents=True)
    (tmp_path / "data/corpora").mkdir()
    table[:40].write_parquet(tmp_path / "data/clean/train.parquet")
    table[40:].with_columns(split=pl.lit("valid")).write_parquet(tmp_path / "data/clean/valid.parquet")
    (tmp_path / "data/corpora/tiny.yaml").write_text(
        "language: en\nlabels: [business, sports]\nsource: a\nterms: b\n"
        "files: {train: [{format: csv, path: a, header: true, text: [text], label: label}]}\n"
    )
    (tmp_path / "params.yaml").write_text(PARAMS)
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


def test_killed_and_called_again_it_resumes_and_the_stage_makes_its_best_model(project: Path) -> None:
    command = [*GAZETTE, "tune", "linear", "--trials", "3"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        first = next(line for line in process.stderr if line.startswith("trial "))
        process.send_signal(signal.SIGKILL)
    assert first.startswith("trial 0: macro-F1")

    done = subprocess.run([*command, "--write", "--json"], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert "trial 0:" not in done.stderr
    assert result["trials"][0]["values"] == {"C": 1.0, "min_df": 18}
    assert len(result["trials"]) == 3
    assert result["written"]
    best = next(trial for trial in result["trials"] if trial["number"] == result["best"])
    assert best["figures"]["macro_f1"] > result["trials"][0]["figures"]["macro_f1"]

    params = (project / "params.yaml").read_text()
    assert "  # far too high\n    max_features" in params
    section = files.read_yaml(project / "params.yaml")["models"]["linear"]
    assert {key: section[key] for key in best["values"]} == best["values"]

    words = "--bundle out/linear --curve out/curve.csv --score out/score.json --fingerprint out/machine.json"
    rows = "--train data/clean/train.parquet --valid data/clean/valid.parquet --description data/corpora/tiny.yaml"
    stage = [*GAZETTE, "train", "--candidate", "linear", *rows.split(), *words.split()]
    subprocess.run(stage, check=True, capture_output=True)
    score = files.read_json(project / "out/score.json")
    assert {key: round(value, 6) for key, value in best["figures"].items()}.items() <= score.items()

    import sqlite3

    with sqlite3.connect(project / "mlflow.db") as database:
        runs = dict(database.execute("SELECT name, status FROM runs WHERE lifecycle_stage = 'active'"))
    study = f"linear {next(line for line in done.stderr.splitlines() if line.startswith('study ')).split()[1]}"
    numbers = [trial["number"] for trial in result["trials"]]
    assert runs == {study: "FINISHED"} | {f"trial {number}": "FINISHED" for number in numbers}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lstm"], "params.yaml has no section models.lstm; under models it has linear"),
        (["cnn"], "params.yaml has no section models.cnn"),
    ],
)
def test_a_candidate_without_model_or_ranges_is_refused(project: Path, words: list[str], message: str) -> None:
    done = subprocess.run([*GAZETTE, "tune", *words], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 2
    assert message in done.stderr
