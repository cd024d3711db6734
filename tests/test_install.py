"""The wheel alone: what a machine installs that only uses a classifier."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bundles import make_bundle
from root import ROOT

pytestmark = pytest.mark.slow

MOST_MEGABYTES = 700
UV = [str(Path(sys.executable).with_name("uv"))]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what it requires, at the versions of the lock."""
    box = tmp_path_factory.mktemp("base")
    source = box / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "src", "packages"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    for package in (source, source / "packages" / "prefect-dvc"):
        build = [*UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", str(box), str(package)]
        subprocess.run(build, check=True)
    environment = box / "environment"
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    install = [*UV, "pip", "install", "--quiet", "--python", str(environment / "bin" / "python")]
    wheels = map(str, sorted(box.glob("*.whl")))
    subprocess.run([*install, "--constraint", str(ROOT / "requirements.lock"), *wheels], check=True)
    return environment


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path)


def run(base: Path, *words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [str(base / "bin" / words[0]), *words[1:]]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_base_has_no_heavy_package_and_stays_small(base: Path) -> None:
    heavy = ("tensorflow", "keras", "dvc", "prefect", "great_expectations", "scipy", "sklearn", "onnx")
    probe = f"import importlib.util; print([name for name in {heavy} if importlib.util.find_spec(name)])"
    assert run(base, "python", "-c", probe).stdout.strip() == "[]"
    size = sum(path.lstat().st_size for path in (base / "lib").rglob("*")) / 2**20
    assert size <= MOST_MEGABYTES


def test_the_base_predicts_explains_and_scores(base: Path, bundle: Path, tmp_path: Path) -> None:
    assert run(base, "gazette", "predict", "--bundle", str(bundle), "goal").stdout.startswith("sport")
    assert "goal" in run(base, "gazette", "explain", "--bundle", str(bundle), "goal bank").stdout
    articles = tmp_path / "articles.csv"
    articles.write_text("text\na goal\nthe bank\n")
    ended = run(
        base,
        "gazette",
        "score",
        str(articles),
        "--to",
        str(tmp_path / "scored"),
        "--model",
        str(bundle),
        "--journal",
        str(tmp_path / "journal"),
    )
    assert ended.returncode == 0, ended.stderr


def test_the_server_and_the_registry_s_client_import_in_the_base(base: Path) -> None:
    modules = ("gazette.serving.online.app", "gazette.serving.online.supervise", "gazette.registry.store.client")
    ended = run(base, "python", "-c", f"import {', '.join(modules)}")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("words", [["plan"], ["report"], ["validate", "--raw", "x"], ["doctor"]])
def test_a_command_without_its_packages_says_which_extra_has_them(base: Path, words: list[str], tmp_path: Path) -> None:
    ended = run(base, "gazette", *words, cwd=tmp_path)
    assert ended.returncode == 2 and "pip install 'gazette-news[pipeline]'" in ended.stderr, ended.stderr
