"""A project in a folder whose stages run in this process: a training costs seconds, not TensorFlow's import again."""

import shutil
from collections.abc import Sequence
from contextlib import chdir, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from prefect_dvc.core.errors import parse

from gazette.core import articles
from gazette.core.bundle import Bundle
from gazette.evaluation.gate import judge
from gazette.evaluation.gate.rules import Rules
from gazette.pipeline import cmdline
from gazette.registry.verdict import Finding
from gazette.training.export.candidate import CandidateFiles

ROOT = Path(__file__).parent.parent
NAME, CANDIDATE = "stream", "linear"


class Project:
    """A corpus that grows, and the bundles trained from it, numbered from 0."""

    def __init__(self, folder: Path, labels: Sequence[str], bounds: dict[str, Any]) -> None:
        self.folder, self.labels, self.bounds, self.trainings = folder, sorted(labels), bounds, 0
        (folder / "data/raw" / NAME).mkdir(parents=True)
        (folder / "data/corpora").mkdir()
        shutil.copy(ROOT / "dvc.yaml", folder)
        params = yaml.safe_load((ROOT / "params.yaml").read_text()) | {"corpus": NAME, "candidates": [CANDIDATE]}
        (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))

    def train(self, rows: pl.DataFrame) -> Path:
        """Run validate, preprocess and train on rows with date, text and label; return the folder of the bundle.

        Raises DataContractError if they break the corpus's contract.
        """
        rows.select("date", "label", "text").write_csv(self.folder / "data/raw" / NAME / "train.csv")
        layout = {"format": "csv", "path": "train.csv", "header": True, "text": ["text"], "label": "label"}
        description = {
            "language": "en", "labels": self.labels, "params": self.bounds, "source": "replay", "terms": "none",
            "files": {"train": [layout | {"date": "date", "date_format": "iso"}]}, "until": rows["date"].max().date(),
        }  # fmt: skip
        (self.folder / f"data/corpora/{NAME}.yaml").write_text(yaml.safe_dump(description, sort_keys=False))
        with chdir(self.folder), redirect_stdout(StringIO()):
            params = cmdline.read_params()
            paths = cmdline.stage_paths(params)
            for stage in ("validate", "preprocess", f"train@{CANDIDATE}"):
                _run(stage, params, paths[stage])
            bundle = Path(f"bundles/{self.trainings}")
            shutil.move(f"models/candidates/{CANDIDATE}", bundle)
        self.trainings += 1
        return self.folder / bundle

    def test_rows(self) -> pl.DataFrame:
        """Return the test rows of the last training."""
        return articles.read_articles(self.folder / "data/clean/test.parquet")

    def held_out(self) -> pl.DataFrame:
        """Return the valid and test rows of the last training."""
        return pl.concat(
            [articles.read_articles(self.folder / f"data/clean/{split}.parquet") for split in ("valid", "test")]
        )

    def judge(self, bundle: Path, champion: Path) -> list[Finding]:
        """Return the gate's findings on the test rows of the last training: floors, the champion, the newest window."""
        with chdir(self.folder):
            params = cmdline.read_params()
            rules = parse(Rules, params["gate"], "params.yaml, section gate")
        rows = self.test_rows()
        ours, theirs = Bundle(bundle), Bundle(champion)
        findings = (
            judge._judge_alone(ours, bundle, rows, NAME, rules)[0] + judge._judge_against(ours, theirs, rows, rules)[0]
        )
        return [finding for finding in findings if finding.rule not in rules.warn_only]


def _run(stage: str, params: dict[str, Any], options: dict[str, str]) -> None:
    name, _, candidate = stage.partition("@")
    module = import_module(f"gazette.stages.{name}")
    values: dict[str, Any] = {option: Path(path) for option, path in options.items()}
    if candidate:
        outs = CandidateFiles(**{option: values.pop(option) for option in ("bundle", "curve", "score", "fingerprint")})
        values |= {"candidate": candidate, "models": params["models"], "outs": outs}
    module.run(parse(module.Params, params[name], f"params.yaml, section {name}"), **values)
