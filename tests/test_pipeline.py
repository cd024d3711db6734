"""The whole pipeline with real DVC and a real MLflow, on a corpus of 120 articles, without a network."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from clones import Project, clone, write_news
from hostile import HOSTILE, make_home

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A clone in which everything ran once and was committed; tests leave it unchanged."""
    box = tmp_path_factory.mktemp("pipeline")
    project_clone = clone(box / "project", box / "guard")
    project_clone.first = project_clone.states()  # type: ignore[attr-defined]
    project_clone("git add -A && git commit -qm ran")
    project_clone.keep()
    yield project_clone
    assert not project_clone.lookups.exists(), f"hosts were looked up: {project_clone.lookups.read_text()}"


@pytest.fixture(autouse=True)
def as_it_was(project: Project) -> Iterator[None]:
    before = project.listing()
    yield
    if project.listing() != before:
        project.restore()


def test_the_first_run_runs_every_stage_and_registers_a_version(project: Project) -> None:
    first = project.first  # type: ignore[attr-defined]
    assert first == dict.fromkeys(
        ["validate", "preprocess", "train@linear", "train@cnn", "select", "evaluate", "register"], "ran"
    )
    assert project.ask("print(client.get_model_version_by_alias('tiny', 'challenger').version)") == "1"


def test_no_stage_looks_up_a_host(project: Project) -> None:
    assert not project.lookups.exists(), project.lookups.read_text()


def test_a_look_up_would_have_been_noticed(project: Project) -> None:
    project("python -c \"import socket; socket.getaddrinfo('example.org', 80)\"", code=1)
    assert project.lookups.read_text() == "example.org\n"
    project.lookups.unlink()


def test_a_second_run_runs_nothing_and_changes_nothing(project: Project) -> None:
    assert set(project.states().values()) == {"unchanged"}
    assert project("git status --porcelain") == ""


def test_changing_one_models_number_trains_that_model_alone(project: Project) -> None:
    project.set(cnn={"epochs": 1})
    states = project.states()
    assert (states["train@cnn"], states["train@linear"]) == ("ran", "unchanged")
    assert (states["validate"], states["preprocess"]) == ("unchanged", "unchanged")


def test_running_again_in_another_folder_gives_an_equal_lock(project: Project, tmp_path: Path) -> None:
    shutil.copytree(project.folder, tmp_path / "else where", symlinks=True)
    copy = Project(tmp_path / "else where", project.lookups.parent)
    before = (copy.folder / "dvc.lock").read_bytes()
    copy("gazette registry relocate")  # its registry names the files of the first folder
    copy("dvc repro --force --quiet")
    assert (copy.folder / "dvc.lock").read_bytes() == before


def test_registering_twice_is_once_and_names_what_made_it(project: Project) -> None:
    project("dvc repro --force --single-item --quiet register")
    answer = json.loads(
        project.ask(
            """
            import json
            versions = client.search_model_versions("name = 'tiny'")
            first = min(versions, key=lambda version: int(version.version))
            print(json.dumps([len({v.tags['digest'] for v in versions}), len(versions), first.tags, first.description]))
            """
        )
    )
    digests, versions, tags, description = answer
    assert digests == versions
    assert {"digest", "data", "params", "code", "base_commit", "tree"} <= set(tags) and tags["tree"] == "clean"
    assert tags["digest"] in (project.folder / "dvc.lock").read_text() and tags["digest"] in description


def test_going_back_to_earlier_params_moves_the_alias_back(project: Project) -> None:
    alias = "print(client.get_model_version_by_alias('tiny', 'challenger').version)"
    before = project.ask(alias)
    project.set(candidates=["linear"], linear={"C": 0.01})
    project("gazette run")
    assert project.ask(alias) != before
    project("git checkout -q . && gazette run")
    assert project.ask(alias) == before


def test_a_registry_that_is_new_to_a_clone_gets_the_version(project: Project) -> None:
    elsewhere = project.folder.parent / "mlflow.db"
    project(f"MLFLOW_TRACKING_URI='sqlite:///{elsewhere}' gazette run")
    tracking = f"mlflow.set_tracking_uri('sqlite:///{elsewhere}'); client = mlflow.MlflowClient()\n"
    assert project.ask(tracking + "print(client.get_model_version_by_alias('tiny', 'challenger').version)") == "1"
    again = project(f"MLFLOW_TRACKING_URI='sqlite:///{elsewhere}' gazette run")
    assert "Stage 'register' didn't change" in again


def test_cleaning_what_this_machine_noted_does_no_harm(project: Project) -> None:
    shutil.rmtree(project.folder / ".gazette")
    assert "version 1 in the registry" in project("gazette run")


def test_a_candidate_that_is_no_longer_listed_leaves_nothing_behind(project: Project) -> None:
    project.set(candidates=["linear"])
    project("gazette run")
    assert [path.name for path in (project.folder / "models" / "candidates").iterdir()] == ["linear"]
    assert [path.name for path in (project.folder / "reports" / "candidates").iterdir()] == ["linear.json"]
    assert [path.name for path in (project.folder / "reports" / "curves").iterdir()] == ["linear.csv"]


def test_anyone_can_load_a_version_and_ask_it(project: Project) -> None:
    answer = project.ask(
        """
        model = mlflow.pyfunc.load_model("models:/tiny@challenger")
        answers = model.predict(["the bank said shares and profit", "coach of the league match"])
        print([answer["label"] for answer in answers], model.metadata.signature.inputs.to_dict())
        """
    )
    assert answer.startswith("['business', 'sports']") and "string" in answer


def first_answer(request: urllib.request.Request, within: int) -> bytes:
    """Return a server's answer once it listens; raises its HTTP error at once."""
    for _ in range(within):
        try:
            return urllib.request.urlopen(request).read()
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            time.sleep(1)
    raise TimeoutError(f"nobody listens at {request.full_url}")


def test_mlflow_serves_a_version(project: Project) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = f"mlflow models serve --model-uri models:/tiny@challenger --env-manager local --port {port}"
    environment = project.environment | {"MLFLOW_TRACKING_URI": f"sqlite:///{project.folder}/mlflow.db"}
    with (project.folder.parent / "served.log").open("w") as log:
        server = subprocess.Popen(
            command.split(), cwd=project.folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    body = json.dumps({"inputs": ["the bank said shares and profit"]}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"})
    try:
        answer = json.loads(first_answer(request, within=120))
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
    assert answer["predictions"][0]["label"] == "business"


def test_a_registered_version_labels_new_articles_and_knows_what_it_was_trained_on(project: Project) -> None:
    (project.folder.parent / "new.txt").write_text("the coach said goal\n...\nprofit and merger\n")
    project("gazette score ../new.txt --model tiny@challenger --to ../scored --workers 1")
    account = json.loads((project.folder.parent / "scored" / "manifest.json").read_text())
    assert (account["model"]["name"], account["model"]["version"]) == ("tiny", "1")
    assert account["rows"] == {"read": 3, "scored": 2, "quarantined": 1}
    assert [label["training_share"] for label in account["labels"]] == pytest.approx([0.5, 0.5], abs=0.05)
    assert 0 <= account["distance_to_training"]["value"] < 0.1


def test_a_version_is_judged_promoted_and_pulled_and_a_figure_that_was_edited_is_not_accepted(project: Project) -> None:
    verdict = json.loads(project("gazette gate --json"))
    assert (verdict["word"], verdict["baseline"]) == ("accept", None)
    assert "tiny has no champion yet" in verdict["figures"]["compared"]
    output = project("gazette promote --by anna --because first")
    assert "tiny: version 1 is champion (promotion of" in output
    promoted = project.ask("print(client.get_model_version_by_alias('tiny', 'champion').tags['digest'])")
    assert promoted == verdict["digest"]
    project("gazette ledger --verify && gazette pull tiny@champion --to app/model && gazette pull --locked")
    assert json.loads((project.folder / "gazette.lock").read_text())["folders"]["app/model"]["digest"] == promoted
    project("gazette predict --bundle app/model 'the coach said'")

    metrics = project.folder / "reports" / "metrics.json"
    metrics.write_text(metrics.read_text().replace('"accuracy": ', '"accuracy": 0.1'))
    page = project("gazette gate --against HEAD --markdown", code=1)
    assert page.startswith("## ❌ Reject tiny")
    assert "| ❌ | provenance | reports/metrics.json |" in re.sub(" +", " ", page)


def test_an_experiment_registers_under_its_name_and_moves_no_alias(project: Project) -> None:
    alias = "print(client.get_model_version_by_alias('tiny', 'challenger').version)"
    before = project.ask(alias)
    project("dvc exp run --quiet --name tried -S models.linear.C=0.5 -S 'candidates=[linear]'")
    tagged = project.ask(
        "print([v.version for v in client.search_model_versions(\"name='tiny' and tags.experiment='tried'\")])"
    )
    assert tagged != "[]"
    assert project.ask(alias) == before
    project("gazette run")  # whoever keeps what was tried makes it the challenger
    assert f"'{project.ask(alias)}'" in tagged or f"{project.ask(alias)}]" in tagged


def test_raw_files_that_were_edited_are_recorded_or_not_registered(project: Project) -> None:
    write_news(project.folder / "data" / "raw" / "tiny" / "news.csv", rows=130)
    project("dvc repro --quiet --single-item validate")  # does not look at the pointer, the whole `dvc repro` does
    output = project("dvc repro --single-item --force register", code=255)
    assert "exited with 3" in output and "dvc add data/raw/tiny" in output


def test_a_corpus_that_breaks_its_contract_stops_the_run_with_code_3(project: Project) -> None:
    before = project("gazette predict 'shares and profit' --json")
    with (project.folder / "data" / "raw" / "tiny" / "news.csv").open("a") as file:
        file.writelines(f"sport,title {number},body\n" for number in range(20))
    output = project("gazette run", code=3)
    assert "news.csv, line 122: unknown label" in output
    assert project("gazette predict 'shares and profit' --json") == before


def test_a_corpus_that_cannot_be_read_at_all_stops_the_run_with_code_3(project: Project) -> None:
    (project.folder / "data" / "raw" / "tiny" / "news.csv").write_text("class,title,body\nsports,a,b\n")
    assert "no column 'label'" in project("gazette run", code=3)


def test_a_misspelt_number_stops_the_run_with_code_2(project: Project) -> None:
    project.edit("  min_rows: ", "  min_rowz: ")
    output = project("gazette run", code=2)
    assert "section validate" in output and "min_rowz" in output


def test_a_misspelt_number_of_a_model_stops_its_training_with_code_2(project: Project) -> None:
    project.edit("    filters: ", "    filterz: ")
    output = project("gazette run", code=2)
    assert "section models.cnn" in output and "filterz" in output


def test_the_selected_classifier_labels_texts_and_files(project: Project) -> None:
    (project.folder / "new.jsonl").write_text('{"text": "coach of the match"}\n{"text": "bank and shares"}\n')
    lines = project("gazette predict --file new.jsonl --json --top 2").splitlines()
    assert [json.loads(line)["labels"][0]["label"] for line in lines] == ["sports", "business"]
    assert project("printf 'goal and league\\n' | gazette predict --file -").startswith("sports ")


def test_dvc_shows_metrics_plots_and_differences(project: Project) -> None:
    project.set(evaluate={"confidence": 0.9})
    project("gazette run")
    assert "accuracy.low" in project("dvc metrics diff --all --md")
    assert "confusion" in project("dvc plots show --json")


def test_a_hostile_environment_and_home_change_no_byte(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = project.cold() | HOSTILE | make_home(tmp_path) | {"PYTHONOPTIMIZE": "1"}
    with monkeypatch.context() as hostile:
        hostile.setattr(project, "environment", environment)
        project("dvc repro --force train@linear train@cnn")
    project("git diff --exit-code dvc.lock reports")
