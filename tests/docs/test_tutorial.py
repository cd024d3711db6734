"""The commands of docs/tutorial.md do what the page says, in a clone."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from clones import Project, copy_project
from root import ROOT

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DONE = ("git clone", "make install", "source ")  # by copy_project, and by the tests' environment


def steps(page: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command with the output that the page shows: a block of `sh` as a whole, one of `console` by `$`."""
    for kind, body in BLOCK.findall(page):
        for part in [body] if kind == "sh" else re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, output = (part, "", "") if kind == "sh" else part.partition("\n")
            if not command.startswith(DONE):
                yield command, output.splitlines()


def missing_lines(expected: list[str], output: str) -> list[str]:
    """Return the expected lines that the output does not have, in this order; `…` stands for any text or lines."""
    lines = iter([" ".join(line.split()) for line in output.splitlines()])
    patterns = [re.escape(" ".join(line.split())).replace("…", ".*") for line in expected if line.strip(" …")]
    return [pattern for pattern in patterns if not any(re.fullmatch(pattern, line) for line in lines)]


def run(project: Project, command: str) -> tuple[int, str]:
    """Return the exit code of a command, and its output as a terminal shows it."""
    done = subprocess.run(
        command, shell=True, cwd=project.folder, env=project.environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.slow
def test_the_tutorial_runs_as_written(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "gazette", tmp_path / "guard")
    project.environment["COLUMNS"] = "120"  # of the terminal on the page
    project("git init -q && git add -A && git commit -qm start")
    code, output = 0, ""
    for command, expected in steps(PAGE):
        if command == "echo $?":
            assert expected == [str(code)], output
            code = 0
            continue
        assert code == 0, output
        code, output = run(project, command)
        assert missing_lines(expected, output) == [], f"$ {command}\n{output}"
    assert code == 0, output
    assert not project.lookups.exists(), project.lookups.read_text()


def test_a_page_is_read_as_commands_and_output() -> None:
    page = "```sh\ncat <<END\na\nEND\n```\n\n```console\n$ make install\n$ false\n a  …\n$ echo $?\n1\n```\n"
    assert list(steps(page)) == [("cat <<END\na\nEND\n", []), ("false", [" a  …"]), ("echo $?", ["1"])]
    assert missing_lines(["a …", "…", "c"], "a  b\nx\nc\n") == []
    assert missing_lines(["c", "a"], "a\nc\n") == ["a"]
