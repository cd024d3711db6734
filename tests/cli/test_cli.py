"""The command line as a person meets it: help, exit codes, what goes where."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import polars as pl
import pytest
from click.testing import CliRunner

from gazette.__main__ import main
from gazette.cli import app
from gazette.core import corpus
from gazette.core.errors import BrokenContract, Misconfigured

PARAMS = """
validate:
  max_quarantined: 0.1
  min_rows: 10
  min_rows_per_class: 2
  max_class_share: 0.9
  max_duplicates: 0.1
  max_conflicts: 0.1
  max_overlap: 0.1
  near_similarity: 1
  max_foreign: 0.1
  max_damaged: 0.1
  giveaway_rows: 1
  giveaway_purity: 0.9
  max_class_distance: 0.5
  max_length_distance: 0.5
  max_vocabulary_distance: 0.5
  personal_data: keep
  min_median_characters: 5
  max_median_characters: 1000
select:
  tie: 0.5
candidates: [one]
further: {}
"""
HEAVY = ["polars", "pyarrow", "tensorflow", "keras", "mlflow", "great_expectations", "onnxruntime", "dvc", "pydantic"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "params.yaml").write_text(PARAMS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ended(monkeypatch: pytest.MonkeyPatch, *words: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["gazette", *words])
    monkeypatch.setattr(os, "environ", os.environ.copy())
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def validate_words(description: Path, raw: Path) -> list[str]:
    words = ["validate", "--description", str(description), "--raw", str(raw)]
    for name in ("valid-articles", "quarantine", "examples", "report", "docs"):
        words += [f"--{name}", f"out/{name}"]
    return words


SELECT = [
    "select",
    *(word for name in ("bundles", "scores", "curves", "bundle", "selection") for word in (f"--{name}", name)),
]

# Help


def test_help_lists_commands_and_stages_and_exit_codes() -> None:
    text = CliRunner().invoke(app.gazette, ["--help"]).output
    assert {"corpus", "predict", "report", "run"} <= set(text.split())
    listed = "distil, evaluate, features, fine_tune, head, preprocess, register, select, teach, train, validate"
    assert listed in " ".join(text.split())
    assert "3 data contract broken" in " ".join(text.split())


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['gazette', '--help']\n"
        "from gazette.__main__ import main\n"
        "try: main()\n"
        f"except SystemExit: print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def named(command: click.Command, path: str = "gazette") -> list[tuple[str, click.Command]]:
    inner = command.commands.items() if isinstance(command, click.Group) else []
    return [(path, command), *(found for name, child in inner for found in named(child, f"{path} {name}"))]


@pytest.mark.parametrize(("path", "command"), named(app.gazette))
def test_every_command_says_what_it_does(path: str, command: click.Command) -> None:
    assert command.help, path
    assert command.help.strip().split("\n")[0].endswith((".", ":"))


@pytest.mark.parametrize("stage", ["preprocess", "select"])
def test_a_stage_says_what_it_turns_into_what(stage: str) -> None:
    result = CliRunner().invoke(app.gazette, [stage, "--help"])
    assert result.output.split("\n")[2].strip().startswith("Turns ")
    assert "--params" not in result.output


# Exit codes


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["paint"], "No such command 'paint'"),
        (["select", "--bundles", "a"], "Missing option"),
        (["predict"], "no text: give TEXTS or --file"),
        (["predict", "--top", "0", "text"], "--top"),
        (["predict", "--bundle", "none", "text"], "no bundle at none: `gazette run` makes it"),
        (["predict", "--file", "none.csv"], "none.csv: no such file"),
        (["corpus", "fetch", "none"], "none.yaml: no such file"),
    ],
)
@pytest.mark.usefixtures("project")
def test_wrong_usage_ends_with_2_and_says_so_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert ended(monkeypatch, *words) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""


@pytest.mark.parametrize(
    ("wrong", "parts"),
    [
        ("tei: 0.5", ["section select: tei: no such key; did you mean tie?", "section select: tie: missing"]),
        ("tie: -1", ["section select: tie:", "got -1"]),
        ("tie: many", ["section select: tie:", "got 'many'"]),
    ],
)
def test_a_wrong_number_in_params_is_named_with_its_section(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: str,
    parts: list[str],
) -> None:
    (project / "params.yaml").write_text(PARAMS.replace("tie: 0.5", wrong))
    assert ended(monkeypatch, *SELECT) == 2
    err = capsys.readouterr().err
    assert err.startswith("gazette: params.yaml, section select")
    assert [part for part in parts if part not in err] == []


def test_a_project_without_params_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended(monkeypatch, *SELECT) == 2
    assert f"params.yaml: no such file in {tmp_path}" in capsys.readouterr().err


def test_a_section_that_is_missing_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "params.yaml").write_text("candidates: [one]\nfurther: {}\n")
    assert ended(monkeypatch, *SELECT) == 2


def test_a_description_with_an_unknown_key_is_a_misconfiguration(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text("langauge: en\n")
    with pytest.raises(Misconfigured, match="langauge"):
        corpus.describe(path)


@pytest.mark.parametrize(("stop", "code"), [(Misconfigured, 2), (BrokenContract, 3)])
def test_a_reason_to_stop_is_a_message_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stop: type[Exception], code: int
) -> None:
    def stopped(**given: object) -> None:
        raise stop("the reason")

    monkeypatch.setattr("gazette.__main__.gazette.main", stopped)
    assert ended(monkeypatch) == code
    assert capsys.readouterr() == ("", "gazette: the reason\n")


def test_an_interrupted_command_ends_as_shells_say(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gazette.cli.project.params", interrupted)
    assert ended(monkeypatch, "run") == 130


@pytest.mark.usefixtures("project")
def test_anything_unexpected_is_a_bug_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("unexpected")

    monkeypatch.setattr("gazette.cli.project.params", broken)
    assert ended(monkeypatch, *SELECT) == 70
    out, err = capsys.readouterr()
    assert "ZeroDivisionError: unexpected" in err
    assert "this is a bug of ours" in err
    assert out == ""


def test_a_broken_corpus_ends_with_3(
    project: Path, lay_down: Callable[..., tuple[Path, Path]], english: pl.DataFrame
) -> None:
    words = validate_words(*lay_down(english[:12], extra="sport\n" * 3))
    done = subprocess.run([sys.executable, "-m", "gazette", *words], cwd=project, capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr.startswith("gazette: 3 rows (20.0%) break the row contract")
    assert "train.csv, line 14: 1 field, expected 2" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_sound_corpus_ends_with_0_and_its_line_on_standard_output(
    project: Path, lay_down: Callable[..., tuple[Path, Path]], english: pl.DataFrame
) -> None:
    result = CliRunner().invoke(app.gazette, validate_words(*lay_down(english, extra="sport\n")))
    assert result.exit_code == 0
    assert result.stdout == "60 valid articles, 1 rows in quarantine, 0 warnings\n"
    assert json.loads((project / "out/report").read_text())["corpus"]["rows"] == 60


def test_nobody_phones_home(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}
    monkeypatch.setattr("gazette.__main__.gazette.main", lambda **given: seen.update(os.environ))
    monkeypatch.setattr(os, "environ", {})
    with pytest.raises(SystemExit):
        main()
    quiet = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "DVC_NO_ANALYTICS": "1"}
    assert quiet.items() <= seen.items()
