"""The command line for a person: help, exit codes, what goes to which stream."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import polars as pl
import pytest
from click.testing import CliRunner
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.__main__ import main
from gazette.cli import app
from gazette.core import corpus

PARAMS = """
validate:
  max_quarantined: 0.1
  min_rows: 10
  min_rows_per_class: 2
  max_class_share: 0.9
  max_duplicates: 0.1
  max_conflicts: 0.1
  max_overlap: 0.1
  near_duplicate_similarity: 1
  max_other_language: 0.1
  max_corrupted: 0.1
  leakage_min_share: 1
  leakage_purity: 0.9
  max_class_distance: 0.5
  max_length_distance: 0.5
  max_vocabulary_distance: 0.5
  max_missing_dates: 0.1
  personal_data: keep
  min_median_characters: 5
  max_median_characters: 1000
select:
  tie_standard_errors: 0.5
candidates: [one]
pretrained: {fine_tune: {}, linear_probe: {}}
teachers: {}
"""
HEAVY = ["polars", "pyarrow", "tensorflow", "keras", "mlflow", "great_expectations", "onnxruntime", "dvc", "pydantic"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "params.yaml").write_text(PARAMS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def exit_code(monkeypatch: pytest.MonkeyPatch, *words: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["gazette", *words])
    monkeypatch.setattr(os, "environ", os.environ.copy())
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code


def validate_words(description: Path, raw: Path) -> list[str]:
    words = ["validate", "--description", str(description), "--raw", str(raw)]
    for name in ("erased", "validated", "quarantine", "examples", "report", "docs"):
        words += [f"--{name}", f"out/{name}"]
    return words


SELECT = [
    "select",
    *(word for name in ("bundles", "scores", "curves", "bundle", "selection") for word in (f"--{name}", name)),
]

# Help


def test_help_lists_commands_in_groups_and_stages_and_exit_codes() -> None:
    lines = CliRunner().invoke(app.gazette, ["--help"]).output.splitlines()
    assert [line for line in lines if re.fullmatch(r"\w+:", line)] == [
        "Options:", "Data:", "Run:", "Judge:", "Release:", "Watch:", "Maintain:", "Prove:"
    ]  # fmt: skip
    text = " ".join(" ".join(lines).split())
    assert f"Stages, called by dvc.yaml: {', '.join(sorted(app.stages()))} Exit codes: 0 fine" in text
    assert "3 data contract broken" in text


def test_help_lists_every_command_with_its_whole_first_line() -> None:
    text = " ".join(CliRunner().invoke(app.gazette, ["--help"]).output.split())
    lines = {name: (command.help or "").partition("\n")[0] for name, command in app.gazette.commands.items()}
    assert [name for name, line in lines.items() if f" {name} {line} " not in text] == []


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['gazette', '--help']\n"
        "from gazette.__main__ import main\n"
        "try: main()\n"
        f"except SystemExit: print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def all_commands(command: click.Command, path: str = "gazette") -> list[tuple[str, click.Command]]:
    inner = command.commands.items() if isinstance(command, click.Group) else []
    return [(path, command), *(pair for name, child in inner for pair in all_commands(child, f"{path} {name}"))]


@pytest.mark.parametrize(("path", "command"), all_commands(app.gazette))
def test_the_first_line_of_a_help_is_a_sentence(path: str, command: click.Command) -> None:
    assert command.help, path
    assert command.help.strip().split("\n")[0].endswith(".")


@pytest.mark.parametrize(("path", "command"), all_commands(app.gazette))
def test_a_command_that_takes_anything_has_an_example_and_every_option_a_help(
    path: str, command: click.Command
) -> None:
    shown = [param for param in command.params if not getattr(param, "hidden", False)]
    if shown and not isinstance(command, click.Group):
        assert "Example" in (command.help or "") and f"      {path}" in (command.help or "").replace(
            "Example:", "     "
        )
    assert [param.name for param in shown if isinstance(param, click.Option) and not param.help] == []


@pytest.mark.parametrize("stage", ["preprocess", "select"])
def test_a_stage_has_a_help_and_takes_its_params_from_the_file(stage: str) -> None:
    text = " ".join(CliRunner().invoke(app.gazette, [stage, "--help"]).output.split())
    assert (app.stage(stage).help or "").partition("\n")[0] in text
    assert "--params" not in text


# Exit codes


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["paint"], "No such command 'paint'"),
        (["select", "--bundles", "a"], "Missing option"),
        (["predict"], "no text: pass TEXTS or --file"),
        (["lineage", ""], "the name of the model or file is empty"),
        (["predict", "--top", "0", "text"], "--top"),
        (["predict", "--bundle", "none", "text"], "no bundle at none: `gazette run` makes it"),
        (["predict", "--bundle", ".", "text"], "no bundle at .: `gazette run` makes it"),
        (["predict", "--file", "a" * 300], "File name too long"),
        (["predict", "--file", "none.csv"], "none.csv: no such file"),
        (["corpus", "fetch", "none"], "no corpus 'none' in data/corpora; it has: "),
    ],
)
@pytest.mark.usefixtures("project")
def test_wrong_usage_ends_with_2_and_says_so_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert exit_code(monkeypatch, *words) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""


@pytest.mark.parametrize(
    ("wrong", "parts"),
    [
        (
            "tie_standard_error: 0.5",
            [
                "section select: tie_standard_error: no such key; did you mean tie_standard_errors?",
                "section select: tie_standard_errors: missing",
            ],
        ),
        ("tie_standard_errors: -1", ["section select: tie_standard_errors:", "got -1"]),
        ("tie_standard_errors: many", ["section select: tie_standard_errors:", "got 'many'"]),
    ],
)
def test_a_wrong_number_in_params_is_named_with_its_section(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: str,
    parts: list[str],
) -> None:
    (project / "params.yaml").write_text(PARAMS.replace("tie_standard_errors: 0.5", wrong))
    assert exit_code(monkeypatch, *SELECT) == 2
    err = capsys.readouterr().err
    assert err.startswith("gazette: params.yaml, section select")
    assert [part for part in parts if part not in err] == []


def test_a_project_without_params_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(monkeypatch, *SELECT) == 2
    assert f"params.yaml: no such file in {tmp_path}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [SELECT, ["ledger", "--verify"], ["doctor"], ["erase", "a text"], ["lineage", "HEAD"], ["gc"], ["reproduce"]],
    ids=" ".join,
)
def test_below_the_project_s_root_a_command_names_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    (tmp_path / "params.yaml").write_text("corpus: tiny\n")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert exit_code(monkeypatch, *words) == 2
    assert f"; {tmp_path} has it: run the command there" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["run", "--unguarded"], ["plan"], ["gate"]], ids=" ".join)
def test_a_corpus_that_does_not_exist_is_named_with_those_that_do_before_dvc_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    (tmp_path / "data" / "corpora").mkdir(parents=True)
    (tmp_path / "data" / "corpora" / "tiny.yaml").touch()
    (tmp_path / "params.yaml").write_text("corpus: no\n")
    monkeypatch.chdir(tmp_path)
    assert exit_code(monkeypatch, *words) == 2
    assert "corpus: no: there is no data/corpora/no.yaml; expected one of tiny, or" in capsys.readouterr().err


def test_a_section_that_is_missing_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "params.yaml").write_text(
        "candidates: [one]\npretrained: {fine_tune: {}, linear_probe: {}}\nteachers: {}\n"
    )
    assert exit_code(monkeypatch, *SELECT) == 2


def test_a_description_with_an_unknown_key_is_a_misconfiguration(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text("langauge: en\n")
    with pytest.raises(ConfigError, match="langauge"):
        corpus.read_description(path)


@pytest.mark.parametrize(("stop", "code"), [(ConfigError, 2), (DataContractError, 3)])
def test_a_reason_to_stop_is_a_message_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stop: type[Exception], code: int
) -> None:
    def fail(**options: object) -> None:
        raise stop("the reason")

    monkeypatch.setattr("gazette.__main__.gazette.main", fail)
    assert exit_code(monkeypatch) == code
    assert capsys.readouterr() == ("", "gazette: the reason\n")


def test_an_interrupted_command_ends_as_shells_say(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gazette.cli.project.params", interrupt)
    assert exit_code(monkeypatch, "predict", "shares") == 130


def test_a_terminated_command_removes_its_temporary_folders(tmp_path: Path) -> None:
    code = (
        "import click, tempfile, time\n"
        "from gazette.__main__ import main\n"
        "@click.command('wait')\n"
        "def wait():\n"
        "    with tempfile.TemporaryDirectory() as folder: print(folder, flush=True); time.sleep(60)\n"
        "main(wait)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout and Path(process.stdout.readline().strip()).parent == tmp_path
        process.terminate()
        assert process.wait() == 143
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "stop",
    [
        PermissionError(errno.EACCES, "Permission denied", "bundle.json"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "/proc/bundle.json"),
        shutil.Error([("a", "b", "[Errno 28] No space left on device: 'bundle.json'")]),
    ],
    ids=["permission", "kernel", "copy"],
)
def test_what_this_user_may_not_do_or_has_no_space_for_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stop: OSError
) -> None:
    def fail() -> None:
        raise stop

    monkeypatch.setattr("gazette.cli.project.params", fail)
    assert exit_code(monkeypatch, *SELECT) == 2
    assert re.fullmatch(r"gazette: .*bundle.json.*\n", capsys.readouterr().err)


@pytest.mark.usefixtures("project")
def test_a_full_disk_need_not_be_that_of_the_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")  # as a file that is written raises it

    monkeypatch.setattr("gazette.cli.project.params", fail)
    assert exit_code(monkeypatch, *SELECT) == 2
    assert "or a file of the project, of DVC's cache or of temporary ones: No space left" in capsys.readouterr().err


@pytest.mark.usefixtures("project")
def test_anything_unexpected_is_an_internal_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("unexpected")

    monkeypatch.setattr("gazette.cli.project.params", fail)
    assert exit_code(monkeypatch, *SELECT) == 70
    out, err = capsys.readouterr()
    assert "ZeroDivisionError: unexpected" in err
    assert "Internal error. Please report it with the traceback above." in err
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
    assert result.stdout == "60 articles validated, 1 in quarantine; warnings: 0\n"
    assert json.loads((project / "out/report").read_text())["corpus"]["rows"] == 60


def test_telemetry_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = {}
    monkeypatch.setattr("gazette.__main__.gazette.main", lambda **options: environment.update(os.environ))
    monkeypatch.setattr(os, "environ", {})
    with pytest.raises(SystemExit):
        main()
    quiet = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "DVC_NO_ANALYTICS": "1"}
    assert quiet.items() <= environment.items()
