"""A revision is made again from raw data alone, and what differs is named with how much."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from prefect_dvc.core.errors import ConfigError
from projects import SOMEBODY, make_published, shell

from gazette.lineage.proof import clone, compare, machines

pytestmark = pytest.mark.usefixtures("warm_commands")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_published(tmp_path_factory.mktemp("published"))


def reproduce(root: Path, *words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "gazette", "reproduce", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("path", ["../precious", "{outside}/precious", "link/precious"])
def test_an_output_outside_the_project_is_never_removed(
    published: Path, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(published)
    outside = tmp_path / "outside"
    outside.mkdir()
    precious = outside / "precious" if "{" in path or "link" in path else tmp_path / "precious"
    precious.write_text("mine")
    to = tmp_path / "clone"
    commit = shell(published, "git rev-parse HEAD")
    if "link" in path:
        root = tmp_path / "linked"
        shell(tmp_path, f"cp -r {published} {root}")
        (root / "link").symlink_to(outside)
        shell(root, f"git add -A && git {SOMEBODY} commit -qm link")
        monkeypatch.chdir(root)
        commit = shell(root, "git rev-parse HEAD")
    recorded = {"train": {"outs": [{"path": path.format(outside=outside), "md5": "1"}]}}
    with pytest.raises(ConfigError, match="precious: an output outside the project"):
        clone.clone_revision(commit, recorded, to)
    assert precious.read_text() == "mine"


@pytest.mark.slow
def test_a_file_of_somebody_elses_is_no_place_for_a_statement(published: Path) -> None:
    (published.parent / "notes.json").write_text('{"mine": true}')
    code, _, error = reproduce(published, "--to", "../notes.json")
    assert code == 2 and "notes.json exists and is not as Gazette wrote it" in error and "cloning" not in error
    assert (published.parent / "notes.json").read_text() == '{"mine": true}'


@pytest.mark.slow
def test_a_revision_that_makes_the_same_again_is_identical_and_gets_a_statement(published: Path) -> None:
    code, output, progress = reproduce(published, "--to", "../statement.json")
    assert (code, output.splitlines()[0].split(",")[0]) == (0, f"identical: 3 outputs of {head(published)[:9]}"), (
        progress
    )
    statement = json.loads((published.parent / "statement.json").read_text())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert [entry["name"] for entry in statement["subject"]] == ["m.json", "made_start", "made_train"]
    assert statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"]["gitCommit"] == head(
        published
    )


@pytest.mark.slow
def test_it_takes_neither_cached_outputs_nor_the_run_cache(published: Path, tmp_path: Path) -> None:
    """Its stages leave a mark outside; that of the first run is there already."""
    root = published.parent / "marked"
    shell(published.parent, f"cp -r {published} {root}")
    pipeline = root / "dvc.yaml"
    pipeline.write_text(pipeline.read_text().replace("cat made_start", f"date >> {tmp_path}/ran; cat made_start"))
    shell(root, f"dvc repro -q && git add -A && git {SOMEBODY} commit -qm marked")
    code, _, progress = reproduce(root, "--to", str(tmp_path / "statement.json"))
    assert code == 0, progress
    assert len((tmp_path / "ran").read_text().splitlines()) == 2


@pytest.mark.slow
def test_a_stage_that_makes_something_else_each_time_is_named_with_its_file(published: Path) -> None:
    root = published.parent / "random"
    shell(published.parent, f"cp -r {published} {root}")
    pipeline = json.loads((root / "dvc.yaml").read_text())
    pipeline["stages"]["train"]["cmd"] = 'cat made_start > made_train && echo "{\\"f1\\": $(date +%s)}" > m.json'
    (root / "dvc.yaml").write_text(json.dumps(pipeline))
    shell(root, f"dvc repro -q && git add -A && git {SOMEBODY} commit -qm random")
    code, result, progress = reproduce(root, "--json")
    assert code == 1, progress
    (difference,) = json.loads(result)["differences"]
    assert (difference["stage"], difference["name"]) == ("train", "m.json")
    assert difference["by"][0].startswith("m.json differs in 1 of 1 places, by ")
    assert "machine" in json.loads(result)["machine"]


@pytest.mark.slow
def test_a_lock_that_was_made_from_other_code_or_data_is_found_out(published: Path) -> None:
    root = published.parent / "stale"
    shell(published.parent, f"cp -r {published} {root}")
    (root / "raw").write_text("2\n")
    shell(root, f"dvc add -q raw && git add -A && git {SOMEBODY} commit -qm 'forgot to run'")
    code, result, _ = reproduce(root, "--json")
    assert code == 1
    assert [(difference["kind"], difference["name"]) for difference in json.loads(result)["differences"]] == [
        ("dependency", "raw"),
        ("output", "made_start"),
    ]


@pytest.mark.slow
def test_raw_data_that_nobody_has_any_more_end_it_with_the_cure(published: Path) -> None:
    root = published.parent / "lost"
    shell(published.parent, f"cp -r {published} {root} && rm -rf {root}/.dvc/cache")
    shell(root, "dvc remote add -q -f -d store ../nowhere")
    code, _, progress = reproduce(root)
    assert code == 2
    assert "dvc push" in progress


def head(root: Path) -> str:
    return shell(root, "git rev-parse HEAD")


def test_an_environment_differs_by_what_the_lock_names_and_this_platform_needs() -> None:
    lock = (
        "# made by\nnumpy==0.1 \\\n    --hash=sha256:00\nno-such-package==1 ; sys_platform == 'never'\nabsent-one==2\n"
    )
    assert [line.split(",")[0] for line in clone.package_differences(lock)] == ["numpy==0.1", "absent-one==2"]


def test_other_packages_than_the_recorded_ones_mean_an_environment_from_that_lock(tmp_path: Path) -> None:
    heard: list[str] = []
    assert clone.choose_python(tmp_path, heard.append) == (Path(sys.executable), True)
    (tmp_path / "requirements.lock").write_text("numpy==0.1\n")
    (tmp_path / "Makefile").write_text("install:\n\tmkdir -p .venv/bin && ln -s $(PYTHON) .venv/bin/python\n")
    python, same = clone.choose_python(tmp_path, heard.append)
    assert (python.resolve(), same) == (Path(sys.executable).resolve(), False)
    assert "numpy==0.1" in heard[-1]


def test_how_far_two_outputs_are_apart_is_said_in_their_own_numbers(tmp_path: Path) -> None:
    import h5py
    import numpy as np

    for number, side in enumerate(("one", "two")):
        folder = tmp_path / side
        folder.mkdir()
        with h5py.File(folder / "weights.h5", "w") as file:
            file["layer/kernel"] = np.array([0.5, 1.0 + number / 4])
        pl.DataFrame({"text": ["a"], "p": [0.5 + number / 8]}).write_parquet(folder / "predictions.parquet")
        (folder / "metrics.json").write_text(json.dumps({"f1": {"macro": 0.75 + number / 16}, "rows": 3}))
        (folder / "model.onnx").write_bytes(b"x" * (1 + number))
    assert compare.measure_difference(tmp_path / "one", tmp_path / "two") == (
        "metrics.json differs in 1 of 2 places, by 0.062 in f1.macro",
        "model.onnx differs, 1 bytes and 2",
        "predictions.parquet differs in 1 of 2 places, by 0.12 in p",
        "weights.h5 differs in 1 of 1 places, by 0.25 in layer/kernel",
    )
    assert compare.measure_difference(tmp_path / "one", tmp_path / "one") == ()


def test_the_first_stage_that_differs_is_the_one_that_is_told() -> None:
    lock = {name: {"cmd": name, "outs": [{"path": name, "md5": "1"}]} for name in ("a", "b", "c")}
    changed = {
        name: {"cmd": name, "outs": [{"path": name, "md5": "2" if name > "a" else "1"}]} for name in ("a", "b", "c")
    }
    assert [difference.stage for difference in compare.first_difference(lock, changed, ["a", "b", "c"])] == ["b"]
    assert compare.first_difference(lock, lock, ["a", "b", "c"]) == []


def test_the_machine_explains_only_what_differs_in_its_fingerprint() -> None:
    machine = {"features": ["avx2"], "packages": {"numpy": "2.0"}}
    assert "does not explain" in machines.explain_machines(machine, machine)
    assert "packages.numpy 2.0 → 2.1" in machines.explain_machines(machine, machine | {"packages": {"numpy": "2.1"}})
    assert "unknown here" in machines.explain_machines(None, machine)
