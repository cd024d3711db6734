"""`gazette score` for a person and for a program."""

import json
import os
import sys
from pathlib import Path

import polars as pl
import pytest

from gazette.__main__ import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: Path) -> Path:
    (tmp_path / "params.yaml").write_text("corpus: tiny\n")
    (tmp_path / "new.csv").write_text("id,text\n7,a goal\n8,...\n9,the bank\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def exit_code(monkeypatch: pytest.MonkeyPatch, *words: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["gazette", "score", *words])
    monkeypatch.setattr(os, "environ", os.environ.copy())
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code


def test_it_summarizes_the_manifest(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("new.csv", "--to", "scored", "--model", "bundle", "--id", "id", "--workers", "1")
    assert not exit_code(monkeypatch, *words)
    output = capsys.readouterr()
    assert output.out.startswith("2 of 3 rows labeled by the bundle ")
    assert "1 in quarantine, 0.0% uncertain (below 0.5)\n  sport            1   50.0%\n" in output.out
    assert output.out.endswith("scored/manifest.json\n")
    assert output.err == ""
    assert json.loads((project / "scored" / "run.json").read_text())["workers"] == 1
    assert not exit_code(monkeypatch, *words, "--json")
    assert json.loads(capsys.readouterr().out) == json.loads((project / "scored" / "manifest.json").read_text())


@pytest.mark.parametrize("name", ["caf\udce9.csv", "drop"])
def test_a_name_that_is_not_utf_8_is_shown_escaped(project: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (project / "drop").mkdir()
    for path in (project, project / "drop"):
        (path / "caf\udce9.csv").write_text("text\ngoal\n")
    assert not exit_code(monkeypatch, name, "--to", "scored", "--model", "bundle", "--workers", "1")
    assert pl.read_parquet(project / "scored/part-00000.parquet")["file"].to_list() == ["caf\\udce9.csv"]


def test_a_folder_of_results_may_have_a_name_that_is_not_utf_8(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not exit_code(monkeypatch, "new.csv", "--to", "sc\udce9", "--model", "bundle", "--workers", "1")
    assert capsys.readouterr().out.endswith("sc\\udce9/manifest.json\n")
    assert pl.read_parquet((project / "sc\udce9/part-00000.parquet").read_bytes())["line"].to_list() == [2, 4]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("none.csv", "--model", "bundle"), 2, "none.csv: no such file"),
        (("new.csv",), 2, "tiny@champion: there is no registry here"),
        (("new.csv", "--model", "bundle", "--text", "body"), 2, "no column 'body' among 'id', 'text'; --text name"),
        (("new.csv", "--model", "bundle", "--uncertain", "0"), 2, "--uncertain"),
        (("empty.csv", "--model", "bundle"), 3, "empty.csv is empty"),
        (("dots.txt", "--model", "bundle"), 3, "none of 1 row can be scored"),
    ],
)
def test_what_cannot_be_done_ends_with_its_code(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    (project / "empty.csv").touch()
    (project / "dots.txt").write_text("...\n")
    assert exit_code(monkeypatch, *words, "--to", "scored") == code
    assert message in capsys.readouterr().err
