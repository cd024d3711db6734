"""Values of params.yaml that a corpus's description sets."""

from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError

from gazette.pipeline import cmdline

PARAMS = """
corpus: times
validate: {min_rows: 500, max_conflicts: 0.01, personal_data: keep}
gate: {margin: 0.02, looks: null, floors: {accuracy: 0.85, ece: 0.1}}
train: {seed: 7}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    description = Path("data/corpora/times.yaml")
    description.parent.mkdir(parents=True)
    return description


def test_a_description_wins_over_params_and_leaves_the_other_values(project: Path) -> None:
    project.write_text("params: {validate: {max_conflicts: 0.1}, gate: {looks: 5, floors: {accuracy: 0.5}}}")
    params = cmdline.read_params()
    assert params["validate"] == {"min_rows": 500, "max_conflicts": 0.1, "personal_data": "keep"}
    assert params["gate"] == {"margin": 0.02, "looks": 5, "floors": {"accuracy": 0.5, "ece": 0.1}}
    with pytest.raises(ConfigError, match="no section select"):
        _ = params["select"]


def test_another_corpus_keeps_the_values_of_params(project: Path) -> None:
    project.with_name("post.yaml").write_text("params: {gate: {margin: 0.5}}")
    assert cmdline.read_params()["gate"]["margin"] == 0.02


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("params: {train: {seed: 8}}", "params: expected the sections validate and gate, got train"),
        ("params: [gate]", "params: expected the sections validate and gate, got"),
        ("params: {gate: 3}", "params.gate: expected keys and values, got 3"),
        ("params: {gate: {floors: {acuracy: 0.5}}}", "params.gate.floors.acuracy: params.yaml has no such key"),
        ("params: {validate: {min_rows: many}}", "params.validate.min_rows: expected a value of the kind of 500"),
        ("params: {validate: {max_conflicts: true}}", "params.validate.max_conflicts: expected a value of the kind"),
    ],
)
def test_a_wrong_value_is_named_with_its_file_and_key(project: Path, description: str, message: str) -> None:
    project.write_text(description)
    with pytest.raises(ConfigError) as error:
        cmdline.read_params()
    assert f"data/corpora/times.yaml: {message}" in str(error.value)
