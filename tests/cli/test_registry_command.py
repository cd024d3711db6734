"""The commands of the registry, as a shell sees them."""

import subprocess
import sys
from pathlib import Path

import pytest

from gazette.registry import ledger
from gazette.registry.ledger import VersionRef

pytestmark = pytest.mark.usefixtures("warm_commands")

ENTRY = ledger.next_entry([], "promotion", "tiny", VersionRef("1", "a.dir", "a" * 40), "t <t@x>", "first", "c" * 40)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with git, params and one entry in its ledger, and without a registry."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    Path("params.yaml").write_text("corpus: tiny\n")
    ledger.append_entry(ENTRY)
    git = "git init -q && git add -A && git -c user.name=t -c user.email=t@x commit -qm start"
    subprocess.run(git, shell=True, check=True)
    return tmp_path


def gazette(*words: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "gazette", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_an_intact_ledger_is_shown_and_verified(project: Path) -> None:
    assert gazette("ledger", "--verify") == (0, "1 entry, the chain is intact\n")
    assert gazette("ledger", "--json") == (0, ENTRY.line() + "\n")
    assert "first" in gazette("ledger")[1]


def test_an_altered_last_line_is_named_and_ends_with_3(project: Path) -> None:
    ledger.PATH.write_text(ledger.PATH.read_text().replace("first", "First"))
    code, output = gazette("ledger", "--verify")
    assert code == 3
    assert "ledger.jsonl: committed lines were changed since" in output


@pytest.mark.slow  # most import MLflow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("versions",), "tiny: there is no registry here"),
        (("rollback", "--by", "t"), "tiny: there is no registry here"),
        (("registry", "rebuild"), "tiny: there is no registry here"),
        (("promote", "--by", "t"), "params.yaml has no section smoke_test"),
        (("pull",), "pass NAME@ALIAS and --to FOLDER, or --locked alone"),
        (("pull", "tiny@champion", "--locked"), "or --locked alone"),
        (("pull", "tiny@champion"), "and --to FOLDER"),
        (("pull", "--locked"), "no gazette.lock in"),
        (("pull", "tiny@champion", "--to", "here"), "tiny@champion: there is no registry here"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_makes_nothing(project: Path, words: tuple[str, ...], message: str) -> None:
    code, output = gazette(*words)
    assert (code, message in output) == (2, True), output
    assert not Path("mlflow.db").exists()
