"""The packages of each stage: as the lock has them, and no stage stale for what cannot change what it makes."""

import re

import pytest
from projects import ROOT

from gazette.core.errors import Misconfigured
from gazette.pipeline import environment

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ADAPTING = ("fine_tune", "features", "head", "teach", "distil")


def stale(package: str) -> set[str]:
    """The stages whose section changes with a new version of a package."""
    newer = re.sub(rf"^{package}==\S+", f"{package}==999.0", LOCK, flags=re.MULTILINE)
    assert newer != LOCK
    names = environment.stages()
    before, after = environment.sections(LOCK, names), environment.sections(newer, names)
    return {name for name in names if before[name] != after[name]}


def test_the_file_is_what_the_lock_makes() -> None:
    made = environment.written(environment.sections(LOCK, environment.stages()))
    assert (ROOT / "environment.yaml").read_text(encoding="utf-8") == made


@pytest.mark.parametrize(
    ("package", "stages"),
    [
        ("keras", {"train", *ADAPTING} - {"teach"}),
        ("tensorflow", {"train", *ADAPTING} - {"teach"}),
        ("tf2onnx", {"train", *ADAPTING} - {"teach", "features"}),
        ("onnxruntime", {"train", *ADAPTING, "evaluate", "register"} - {"features"}),
        ("great-expectations", {"validate"}),
        ("mlflow", {"register"}),
        ("tokenizers", {"validate", "preprocess", "train", *ADAPTING, "evaluate", "register"}),
        ("prefect", set()),
        ("dvc", set()),
        ("requests", set()),
        ("ruff", set()),
    ],
)
def test_a_new_version_makes_those_stages_stale_that_it_can_change(package: str, stages: set[str]) -> None:
    assert stale(package) == stages


def test_what_a_package_requires_in_turn_counts() -> None:
    held = environment.sections(LOCK, ["train"])["train"]
    assert {"h5py", "ml-dtypes", "polars-runtime-32"} <= set(held)


def test_an_import_that_the_lock_has_not_is_named() -> None:
    with pytest.raises(Misconfigured, match="polars, which stage select imports"):
        environment.roots("select", {"pydantic": "2", "ruamel-yaml": "0.18"})


def test_a_package_for_other_systems_is_left_out() -> None:
    assert environment.versions('a==1 ; sys_platform == "win32" \\\n    --hash=sha256:0\nB_c==2 \\\n') == {"b-c": "2"}


@pytest.mark.parametrize("package", sorted(environment.INERT))
def test_what_is_left_out_has_a_reason_and_stands_in_the_lock(package: str) -> None:
    assert environment.INERT[package]
    assert package in environment.versions(LOCK)
