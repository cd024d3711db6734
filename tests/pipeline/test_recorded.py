"""What may be removed: content that dvc.lock names, or that DVC's cache or git has."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from prefect_dvc import hashing, storage
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

from gazette.cli import app
from gazette.core import files
from gazette.pipeline import recorded

pytestmark = pytest.mark.usefixtures("warm_commands")

BUNDLES, SCORES, CURVES = (Path(name) for name in ("models/candidates", "reports/candidates", "reports/curves"))
PARAMS = {"candidates": ["one"], "pretrained": {"fine_tune": {}, "linear_probe": {}}, "teachers": {}}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that listed the candidates one and gone, and now one alone."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["dvc", "init", "-q"], check=True)
    for name in ("one", "gone"):
        files.write_json(BUNDLES / name / "bundle.json", {"name": name})
        files.write_json(SCORES / f"{name}.json", {"macro_f1": 0.5, "standard_error": 0.1, "bytes": 3})
        (CURVES / f"{name}.csv").parent.mkdir(exist_ok=True)
        (CURVES / f"{name}.csv").write_text("epoch\n1\n")
    files.write_json(Path("params.yaml"), PARAMS | {"select": {"tie_standard_errors": 0.5}})
    lock([BUNDLES / "gone", SCORES / "gone.json", CURVES / "gone.csv"])
    return tmp_path


def lock(paths: list[Path]) -> None:
    outs = [{"path": str(path), "md5": hashing.dvc_hash_or_none(path)} for path in paths]
    Path("dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": {"train@gone": {"outs": outs}}}))


def run_select(code: int = 0) -> str:
    options = {"bundles": BUNDLES, "scores": SCORES, "curves": CURVES, "bundle": "models/selected", "selection": "s"}
    words = [word for name, path in options.items() for word in (f"--{name}", str(path))]
    result = CliRunner().invoke(app.gazette, ["select", *words])
    assert (getattr(result.exception, "code", 0) if code else result.exit_code) == code, result.output
    return str(result.exception)


def listing() -> list[str]:
    return sorted(str(path) for top in (BUNDLES, SCORES, CURVES) for path in top.rglob("*") if not path.is_dir())


def test_what_a_candidate_left_goes_if_the_lock_names_it(project: Path) -> None:
    atomic.temporary_path(BUNDLES / "gone").mkdir()
    run_select()
    assert listing() == ["models/candidates/one/bundle.json", "reports/candidates/one.json", "reports/curves/one.csv"]
    assert len(list(BUNDLES.iterdir())) == 1


def test_what_the_lock_no_longer_names_goes_if_the_cache_or_git_has_it(project: Path) -> None:
    Path("dvc.lock").unlink()
    storage.dvc_add(BUNDLES / "gone")
    for path in Path().rglob("gone.dvc"):
        path.unlink()
    subprocess.run(["git", "add", "-f", str(SCORES), str(CURVES)], check=True)
    run_select()
    assert [path for path in listing() if "gone" in path] == []


@pytest.mark.parametrize(
    "stranger", ["models/candidates/mine/notes.txt", "models/candidates/gone/notes.txt", "models/candidates/mine.txt",
                 "models/candidates/gone.partial/notes.txt", "reports/candidates/mine.json", "reports/curves/mine.csv"]
)  # fmt: skip
def test_what_nobody_recorded_stays_and_is_named_and_nothing_is_removed(project: Path, stranger: str) -> None:
    path = Path(stranger)
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    before = listing()
    message = run_select(code=2)
    assert message.startswith("/".join(path.parts[:3])) and "move it elsewhere" in message
    assert listing() == before and path.read_text() == "mine"


def test_a_candidate_that_was_edited_by_hand_stays(project: Path) -> None:
    (BUNDLES / "gone" / "bundle.json").write_text("edited")
    assert run_select(code=2).startswith("models/candidates/gone belongs to nothing")
    assert (BUNDLES / "gone" / "bundle.json").read_text() == "edited"


def test_a_symlink_among_candidates_stays(project: Path) -> None:
    Path("elsewhere").mkdir()
    (BUNDLES / "link").symlink_to(project / "elsewhere")
    assert run_select(code=2).startswith("models/candidates/link")
    assert (BUNDLES / "link").is_symlink()


def test_a_file_that_differs_from_what_is_recorded_is_named(project: Path) -> None:
    raw = Path("raw")
    raw.mkdir()
    (raw / "a.csv").write_text("a")
    storage.dvc_add(raw)
    digest = hashing.dvc_hash(raw)
    assert recorded.find_unrecorded(raw, digest) is None
    (raw / "notes.txt").write_text("mine")
    assert recorded.find_unrecorded(raw, digest) == raw / "notes.txt"
    (raw / "notes.txt").unlink()
    (raw / "a.csv").write_text("b")
    assert recorded.find_unrecorded(raw, digest) == raw / "a.csv"
    assert recorded.find_unrecorded(raw, hashlib.md5(b"").hexdigest() + ".dir") == raw


def test_an_error_is_raised_for_what_nobody_recorded(project: Path) -> None:
    with pytest.raises(ConfigError, match="select reads all of"):
        Path("mine").touch()
        recorded.remove_leftovers([Path("mine")], "select")
