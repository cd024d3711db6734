"""What people correct, through a whole run: from feedback to another train split, lineage and the report."""

import json
from pathlib import Path

import polars as pl
import pytest
from clones import clone

pytestmark = pytest.mark.slow


def feedback(text: str, label: str) -> str:
    record = {"text": text, "label": label, "predicted": "sports", "digest": "d", "when": "2026-11-29", "who": "ab12"}
    return json.dumps(record | {"how": "volunteered"}) + "\n"


def test_what_is_volunteered_changes_train_alone_and_lineage_diff_and_report_show_it(tmp_path: Path) -> None:
    project = clone(tmp_path / "project", tmp_path / "guard")
    project.set(candidates=["linear"])
    project("gazette run && git add -A && git commit -qm ran")
    clean = project.folder / "data/clean"
    before = {split: pl.read_parquet(clean / f"{split}.parquet") for split in ("train", "valid", "test")}
    held_out = {split: (clean / f"{split}.parquet").read_bytes() for split in ("valid", "test")}
    wrong = {split: table.filter(label="business")["text"][0] for split, table in before.items()}
    answers = "".join(feedback(text.upper(), "sports") for text in [*wrong.values(), "A goal in the last match"])
    (project.folder / "answers.jsonl").write_text(answers)

    shown = project("gazette corpus correct tiny answers.jsonl --yes")
    assert "are in valid or test, so nothing changes" in shown and "become rows of train" in shown
    assert "A goal in the last match" not in project("git add -A && git diff --cached -- ':!answers.jsonl'")
    project(
        "git rm -q --cached answers.jsonl && gazette run && git add -A ':!answers.jsonl' && git commit -qm corrected"
    )

    after = pl.read_parquet(clean / "train.parquet")
    assert {split: (clean / f"{split}.parquet").read_bytes() for split in held_out} == held_out
    changed = after.join(before["train"], on=["text", "label"], how="anti")
    assert sorted(changed.select("text", "label", "file").iter_rows()) == sorted(
        [("A GOAL IN THE LAST MATCH", "sports", "corrections.jsonl"), (wrong["train"], "sports", "news.csv")]
    )
    counts = json.loads((project.folder / "reports/preprocessing.json").read_text())["corrections"]
    assert counts == {"corrected": 1, "withheld": 2, "added": 1}
    overlay = project("md5sum data/raw/tiny/corrections.jsonl").split()[0]
    lineage = project("gazette lineage HEAD")
    assert f"corrections corrections.jsonl  {overlay}, 4 lines" in lineage and "volunteered: 4 (1 added" in lineage
    assert "train 1, valid 0, test 0" in project("gazette lineage data/raw/tiny/corrections.jsonl")
    difference = project("gazette corpus diff HEAD~1 tiny")
    assert f"Corrections of tiny, overlay {overlay}:" in difference and "Corrections of HEAD~1:\n  none" in difference
    assert "volunteered: 4 (1 added, 3 train only)" in (project.folder / "reports/report.html").read_text()

    with (project.folder / "data/raw/tiny/corrections.jsonl").open("a") as file:
        for label in ("business", "sports"):
            line = {"text": wrong["train"], "label": label, "source": "asked", "kind": "label"}
            file.write(json.dumps(line | {"when": "", "who": ""}) + "\n")
    output = project("dvc add -q data/raw/tiny && gazette run", code=3)
    assert "'business' in data/raw/tiny/corrections.jsonl, line 5" in output and "Remove the line" in output
