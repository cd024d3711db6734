"""The packages of each stage: as in the lock, and no stage is stale for a package that cannot change its outputs."""

import re

import pytest
from prefect_dvc.core.errors import ConfigError
from root import ROOT

from gazette.pipeline import environment

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ADAPTING = ("fine_tune", "extract_features", "linear_probe", "soft_labels", "distill")


def stale(package: str) -> set[str]:
    """Return the stages whose section changes with a new version of a package."""
    newer = re.sub(rf"^{package}==\S+", f"{package}==999.0", LOCK, flags=re.MULTILINE)
    assert newer != LOCK
    names = environment.list_stages()
    before, after = environment.build_sections(LOCK, names), environment.build_sections(newer, names)
    return {name for name in names if before[name] != after[name]}


def test_the_file_is_what_the_lock_makes() -> None:
    text = environment.to_yaml(environment.build_sections(LOCK, environment.list_stages()))
    assert (ROOT / "environment.yaml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("package", "stages"),
    [
        ("keras", {"train", *ADAPTING} - {"soft_labels"}),
        ("tensorflow", {"train", *ADAPTING} - {"soft_labels"}),
        ("tf2onnx", {"train", *ADAPTING} - {"soft_labels", "extract_features"}),
        ("onnxruntime", {"train", *ADAPTING, "evaluate", "register"} - {"extract_features"}),
        ("great-expectations", {"validate"}),
        ("mlflow", {"register"}),
        ("tokenizers", {"validate", "preprocess", "train", *ADAPTING, "evaluate", "register"}),
        ("prefect", set()),
        ("dvc", set()),
        ("requests", set()),
        ("ruff", set()),
    ],
)
def test_a_new_version_makes_only_stages_stale_that_it_can_change(package: str, stages: set[str]) -> None:
    assert stale(package) == stages


def test_requirements_of_packages_count() -> None:
    packages = environment.build_sections(LOCK, ["train"])["train"]
    assert {"h5py", "ml-dtypes", "polars-runtime-32"} <= set(packages)


def test_an_import_that_the_lock_lacks_is_named() -> None:
    with pytest.raises(ConfigError, match="pydantic, which stage select imports"):
        environment.imported_packages("select", {"ruamel-yaml": "0.18"})


def test_a_package_for_other_systems_is_excluded() -> None:
    assert environment.read_versions('a==1 ; sys_platform == "win32" \\\n    --hash=sha256:0\nB_c==2 \\\n') == {
        "b-c": "2"
    }


@pytest.mark.parametrize("package", sorted(environment.INERT))
def test_an_excluded_package_has_a_reason_and_is_in_the_lock(package: str) -> None:
    assert environment.INERT[package]
    assert package in environment.read_versions(LOCK)


@pytest.mark.parametrize("python", ["3.12", "3.13"])
def test_every_python_has_the_same_packages_in_every_stage(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = environment.list_stages()
    expected = environment.build_sections(LOCK, names)
    version = {"python_version": python, "python_full_version": f"{python}.0", "implementation_version": f"{python}.0"}
    monkeypatch.setattr(environment, "REFERENCE", environment.REFERENCE | version)
    assert environment.build_sections(LOCK, names) == expected


def test_the_lock_has_one_version_of_each_package() -> None:
    names = re.findall(r"^([\w.-]+)==", LOCK, flags=re.MULTILINE)
    assert [name for name in set(names) if names.count(name) > 1] == []
