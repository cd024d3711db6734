"""`gazette journal`, and what `gazette score` writes to it."""

import json
import os
import sys
from pathlib import Path

import pytest
from predictions import make_record
from prefect_dvc import locks

from gazette.__main__ import main
from gazette.serving.journal import layout, read, write

JOURNAL = Path(".gazette/journal")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: Path, capsys: pytest.CaptureFixture[str]) -> "Run":
    (tmp_path / "params.yaml").write_text("corpus: tiny\nmonitor:\n  sample: 1.0\n  window_days: 7\n")
    (tmp_path / "new.csv").write_text("text\na goal\nthe bank\n")
    monkeypatch.chdir(tmp_path)
    return Run(monkeypatch, capsys)


class Run:
    """Runs `gazette` in this process, and returns its exit code, output and errors."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *words: str) -> tuple[int | str | None, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["gazette", *words])
        self.monkeypatch.setattr(os, "environ", os.environ.copy())
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code or 0, *self.capsys.readouterr()


def score(run: Run, *words: str) -> tuple[int | str | None, str, str]:
    return run("score", "new.csv", "--to", "scored", "--model", "bundle", "--workers", "1", *words)


def test_a_scoring_is_in_the_journal_and_shown(run: Run) -> None:
    assert score(run)[0] == 0
    code, output, _ = run("journal", "show", "--json")
    record = json.loads(output)
    (day,) = record["days"]
    assert code == 0 and record["texts"] == 2 and record["bytes"] > 0
    assert (day["source"], day["records"], day["unknown"]) == ("score", 2, 0.5)
    assert day["labels"] == {"sport": 0.5, "trade": 0.5}
    output = run("journal", "show")[1]
    assert "2 texts in the sample" in output and "50%" in output and day["digest"][:8] in output


@pytest.mark.parametrize("words", [("serve", "--journal"), ("serve", "--feedback"), ("journal", "show", "--journal")])
def test_a_file_is_no_folder_for_records(run: Run, words: tuple[str, ...]) -> None:
    code, _, fault = run(*words, "new.csv")
    assert code == 2 and "is a file" in fault and "new.csv" in fault


def test_without_a_journal_none_is_written(run: Run) -> None:
    assert score(run, "--no-journal")[0] == 0
    assert not JOURNAL.exists()
    assert run("journal", "show") == (0, f"{JOURNAL}: 0 bytes, 0 texts in the sample\nno records\n", "")


def test_a_scoring_that_cannot_be_recorded_warns_and_ends_well(run: Run) -> None:
    Path("elsewhere").write_text("a file in its place")
    code, _, errors = score(run, "--journal", "elsewhere")
    assert code == 0 and "rows are missing in the journal" in errors and "Not a directory" in errors
    assert Path("scored/manifest.json").exists()


def test_a_span_of_days_is_shown(run: Run) -> None:
    write.append(JOURNAL, [make_record(number, f"2026-10-0{number + 1}T12") for number in range(4)])
    record = json.loads(run("journal", "show", "--json", "--since", "2026-10-02", "--until", "2026-10-04")[1])
    assert [day["day"] for day in record["days"]] == ["2026-10-02", "2026-10-03"]


def test_prune_compacts_and_removes_and_says_so(run: Run) -> None:
    write.append(JOURNAL, [make_record(0, "2020-01-01T00")])
    code, output, _ = run("journal", "prune", "--days", "100000", "--json")
    assert code == 0 and json.loads(output)["compacted"][0].startswith("2020-01-01.")
    assert read.scan(JOURNAL).collect().height == 1
    assert "removed 2020-01-01." in run("journal", "prune")[1]
    assert read.scan(JOURNAL).collect().height == 0


def test_only_one_prunes(run: Run) -> None:
    write.append(JOURNAL, [make_record(0)])
    with locks.file_lock(JOURNAL / layout.LOCK, "busy"):
        code, _, errors = run("journal", "prune")
        assert (code, "another process tidies it" in errors) == (2, True)
        assert score(run)[0] == 0


@pytest.mark.parametrize("line", ["sample: 2", "text_days: 0", "journal_megabytes: many"])
def test_a_bound_that_is_wrong_is_named(run: Run, line: str) -> None:
    Path("params.yaml").write_text(f"corpus: tiny\nmonitor:\n  {line}\n")
    code, _, errors = score(run)
    assert code == 2 and "params.yaml, section monitor" in errors and line.partition(":")[0] in errors
