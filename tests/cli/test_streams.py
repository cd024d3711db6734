"""Any output can be written to any terminal, pipe or closed stream, and any bytes may come in."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gazette.__main__ import main
from gazette.cli import project, streams

DESCRIPTION = """
language: zh
labels: [体育, "\\u001b[31mred", naïve]
source: Ärzte „€" 新闻
terms: none
files:
  train: [{format: csv, path: a.csv, header: true, text: [text], label: label}]
"""
TERMINALS: list[dict[str, str]] = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONIOENCODING": "gbk"},
    {"PYTHONIOENCODING": "utf-16"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"TERM": "dumb", "COLUMNS": "10", "NO_COLOR": "1"},
    {"TERM": "", "COLUMNS": "many", "FORCE_COLOR": "1"},
]
ENTRIES = [["-m", "gazette", "--help"], ["-m", "flows.pipeline", "--help"], ["-m", "flows.score", "--help"]]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a corpus whose names no ASCII terminal can show."""
    (tmp_path / "data" / "corpora").mkdir(parents=True)
    (tmp_path / "data" / "corpora" / "news.yaml").write_text(DESCRIPTION, encoding="utf-8")
    (tmp_path / "params.yaml").write_text("corpus: news\n")
    return tmp_path


def run(here: Path, shell: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a shell command in which `gazette` is ours."""
    program = f'gazette() {{ "{sys.executable}" -m gazette "$@"; }}; {shell}'
    return subprocess.run(
        ["bash", "-c", program], cwd=here, env={**os.environ, **environment}, capture_output=True, check=False
    )


@pytest.mark.parametrize("terminal", TERMINALS, ids=str)
def test_a_terminal_that_lacks_characters_gets_escapes(here: Path, terminal: dict[str, str]) -> None:
    done = run(here, "gazette corpus show news", **terminal)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b[31m" not in done.stdout


@pytest.mark.parametrize("terminal", [TERMINALS[0], TERMINALS[3], TERMINALS[5]], ids=str)
def test_json_is_valid_whatever_the_terminal_shows(here: Path, terminal: dict[str, str]) -> None:
    done = run(here, "gazette corpus show news --json", **terminal)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["labels"] == ["体育", "\x1b[31mred", "naïve"]


def test_json_escapes_what_is_not_printable(capsys: pytest.CaptureFixture[str]) -> None:
    record = {"text": "\x9b31m \u202e \udcff 体育 \x7f"}
    project.echo_json(record)
    text = capsys.readouterr().out
    assert text.isascii() or all(char.isprintable() for char in text if char != "\n")
    assert json.loads(text) == record


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_a_closed_stream_is_none_that_matters(here: Path, closed: str) -> None:
    assert run(here, f"gazette corpus show none {closed}").returncode == 2


def test_a_closed_output_gets_nothing_into_a_file_that_is_opened_later(here: Path) -> None:
    code = (
        "from gazette.cli import streams; streams.configure()\n"
        "with open('database', 'w') as file:\n"
        "    print('into nowhere', flush=True)\n"
        "    import subprocess; subprocess.run(['echo', 'nor this'])\n"
    )
    done = run(here, f'"{sys.executable}" -c "{code}" >&-')
    assert done.returncode == 0, done.stderr
    assert (here / "database").read_text() == ""


@pytest.mark.parametrize("words", ["--help", "corpus list --json"])
def test_a_reader_that_has_enough_ends_it_quietly(here: Path, words: str) -> None:
    done = run(here, f"gazette {words} | true; echo ${{PIPESTATUS[0]}}")
    assert (done.stdout, done.stderr) in ((b"141\n", b""), (b"0\n", b""))  # 0: it was faster than `true`


def test_a_broken_pipe_has_the_shell_s_code(here: Path) -> None:
    done = run(here, "gazette corpus list | { exec <&-; sleep 3; }; echo ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == (b"141\n", b"")


def test_a_full_disk_is_told_in_a_line(here: Path) -> None:
    done = run(here, "gazette corpus list >/dev/full")
    assert done.returncode == 2
    assert re.fullmatch(rb"gazette: the output, or a file .*: No space left on device\n", done.stderr)


@pytest.mark.parametrize("entry", ENTRIES, ids=" ".join)
def test_every_entry_has_streams_of_this_kind(entry: list[str]) -> None:
    command = f"'{sys.executable}' {' '.join(entry)}"
    root = Path(__file__).parents[2]
    assert run(root, f"{command} >&- 2>&-").returncode == 0
    broken = run(root, f"{command} | {{ exec <&-; sleep 3; }}; echo ${{PIPESTATUS[0]}}", PYTHONIOENCODING="ascii")
    assert (broken.stdout, broken.stderr) == (b"141\n", b"")


def test_an_interrupt_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def wait() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["wait"])
    monkeypatch.setattr(os, "environ", os.environ.copy())
    with pytest.raises(SystemExit) as stop:
        main(wait)
    assert stop.value.code == 130
    assert capsys.readouterr().err.strip() == "gazette: interrupted"


def test_a_message_is_escaped_but_for_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    streams.echo_error("news\x1b[2J.csv:\n\tline 3 \u202e体育")
    assert capsys.readouterr().err == "news\\x1b[2J.csv:\n\tline 3 \\u202e体育\n"
