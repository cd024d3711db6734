"""The gate in a small project under git and DVC: what is judged, against which baseline, and its provenance."""

import json
import math
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import onnx
import polars as pl
import pytest
from bundles import make_bundle
from click.testing import CliRunner
from dvc.repo import Repo
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError
from ruamel.yaml import YAML

from gazette.cli.gate import gate
from gazette.core import articles
from gazette.evaluation.gate import evidence
from gazette.evaluation.gate.judge import judge
from gazette.evaluation.markdown import summarize_verdict
from gazette.registry import ledger
from gazette.registry.verdict import Verdict
from gazette.stages import evaluate

OUTPUTS = {
    "metrics": "reports/metrics.json",
    "slices": "reports/slices.csv",
    "confusion": "reports/confusion.csv",
    "calibration": "reports/calibration.csv",
    "predictions": "data/predictions/predictions.parquet",
    "mistakes": "data/predictions/mistakes.parquet",
}
EVALUATE = {"seed": 7, "threads": 1, "resamples": 100, "confidence": 0.95, "min_slice_rows": 20, "mistakes": 5}
RULES = {
    "alpha": 0.05, "power": 0.8, "margin": 0.02, "resamples": 500, "seed": 7, "slice_margin": 0.05,
    "min_slice_rows": 20, "invariance_rows": 40, "min_invariance": 0.9,
    "warn_only": ["milliseconds", "unchanged by case", "unchanged by width"],
    "floors": {"accuracy": 0.8, "macro_f1": 0.8, "worst_recall": 0.5, "ece": 0.5, "megabytes": 1, "milliseconds": 500},
}  # fmt: skip


def write(path: str, text: object) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text if isinstance(text, str) else json.dumps(text))


def git(*words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


def commit(tag: str) -> None:
    """Judges the bundle that lies here, records everything as a run would, and commits it under a tag."""
    options = {name: Path(path) for name, path in OUTPUTS.items()}
    evaluate.run(
        evaluate.Params(**EVALUATE), bundle=Path("models/selected"), test=Path("data/clean/test.parquet"), **options
    )
    with Repo() as repo:
        repo.commit(force=True)
    git("add", "-A")
    git("commit", "-qm", tag)
    git("tag", tag)


def lay_bundle(box: Path, table: list[float], labels: list[str]) -> None:
    """The counting bundle with other weights (per token: sport, trade) and labels."""
    shutil.rmtree("models/selected", ignore_errors=True)
    shutil.rmtree(box / "bundle", ignore_errors=True)
    folder = make_bundle(box)
    model = onnx.load(folder / "model.onnx")
    weights = next(tensor for tensor in model.graph.initializer if tensor.name == "table")
    weights.CopyFrom(onnx.numpy_helper.from_array(np.array(table, np.float32).reshape(4, 2), "table"))
    onnx.save(model, folder / "model.onnx")
    about = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(about | {"labels": labels}))
    shutil.move(folder, "models/selected")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of several commits, each under a tag: another corpus, a worse bundle, one that is equal, a good one."""
    box = tmp_path_factory.mktemp("gate")
    root = box / "project"
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        git("init", "-q")
        with Repo.init() as repo, repo.config.edit() as settings:
            settings["core"] = {"analytics": False, "check_update": False, "autostage": False}
        words = [("goal", "sport"), ("bank", "trade")]
        rows = [
            {"text": f"{words[n % 2][0]} number {n}", "label": words[n % 2][1], "split": "test", "file": "a", "line": n}
            for n in range(1, 301)
        ]
        articles.write_articles(Path("data/clean/test.parquet"), pl.DataFrame(rows))
        write("data/raw/tiny/a.csv", "text,label\n")
        write("data/corpora/tiny.yaml", "language: en\n")
        write("data/corpora/far.yaml", "language: en\n")
        write(".gitignore", "/.gazette\n/mlflow.db\n/models\n/data/clean\n/data/predictions\n/data/raw/*/\n")
        command = " ".join(f"--{name} {path}" for name, path in OUTPUTS.items())
        stages = {
            "validate": {
                "cmd": "gazette validate --raw data/raw/tiny --test data/clean/test.parquet",
                "deps": ["data/raw/tiny"], "outs": ["data/clean/test.parquet"],
            },
            "select": {"cmd": "gazette select --bundle models/selected", "outs": ["models/selected"]},
            "evaluate": {
                "cmd": f"gazette evaluate --bundle models/selected --test data/clean/test.parquet {command}",
                "deps": ["models/selected", "data/clean/test.parquet"], "params": ["evaluate"],
                "outs": [{path: {"cache": False}} if path.startswith("reports") else path for path in OUTPUTS.values()],
            },
        }  # fmt: skip
        write("dvc.yaml", {"stages": stages})
        write("params.yaml", {"corpus": "tiny", "evaluate": EVALUATE, "gate": RULES})
        git("add", "-A")
        git("commit", "-qm", "bare")
        git("tag", "bare")
        lay_bundle(box, [0, 0, 0, 0, 2, 0, 0, 2], ["sport", "trade"])
        with Repo() as repo:
            repo.add("data/raw/tiny")
        write("params.yaml", {"corpus": "far", "evaluate": EVALUATE, "gate": RULES})
        commit("elsewhere")
        write("params.yaml", {"corpus": "tiny", "evaluate": EVALUATE, "gate": RULES})
        lay_bundle(box, [0, 0, 1, 0, 2, 0, 0, 0.5], ["sport", "trade"])
        commit("worse")
        lay_bundle(box, [0, 0, 0, 0, 2, 0, 0, 2], ["sport", "art"])
        shutil.move("models/selected", box / "apart")
        lay_bundle(box, [0, 0, 0, 0, 3, 0, 0, 3], ["sport", "trade"])
        commit("equal")
        lay_bundle(box, [0, 0, 0, 0, 2, 0, 0, 2], ["sport", "trade"])
        commit("good")
    return root


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the template, at its last commit, in which the test stands."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = Path(shutil.copytree(template, tmp_path / "project"))
    monkeypatch.chdir(root)
    return root


def outcome(verdict: Verdict, rule: str) -> str:
    return next(finding.outcome for finding in verdict.findings if finding.rule == rule)


def reasons(verdict: Verdict) -> str:
    return "\n".join(f"{finding.observed}: {finding.why}" for finding in verdict.findings if finding.outcome == "fail")


def test_a_bundle_as_good_as_another_revisions_is_accepted_and_twice_the_same(project: Path) -> None:
    verdict = judge("equal")
    assert (verdict.word, verdict.code, verdict.baseline and verdict.baseline["reference"]) == ("accept", 0, "equal")
    assert verdict.figures["theirs"]["accuracy"] == 1 and verdict.digest == hashing.dvc_hash(Path("models/selected"))
    again = judge("equal").record()["findings"]
    assert [finding for finding in again if finding["rule"] != "milliseconds"] == [
        finding for finding in verdict.record()["findings"] if finding["rule"] != "milliseconds"
    ]
    assert list(Path(".gazette/bundles").iterdir())


def test_the_figures_of_a_verdict_are_those_of_the_test_rows(project: Path) -> None:
    verdict = judge("worse")  # which holds all for sport
    findings = {finding.rule: finding for finding in verdict.findings}
    unsure = 1 / (1 + math.exp(2))  # what a word weighs 2 for is this much uncertain
    for figures in (
        verdict.figures["ours"],
        {name: findings[name].observed for name in ("accuracy", "macro_f1", "ece")},
    ):
        assert figures == {"accuracy": 1, "macro_f1": 1, "ece": pytest.approx(unsure, abs=1e-6)}
    assert findings["worst_recall"].observed == 1
    size = sum(path.stat().st_size for path in Path("models/selected").iterdir())
    assert findings["megabytes"].observed == round(size / 1e6, 6) and 0 < findings["milliseconds"].observed < 500
    warn = [name for name, finding in findings.items() if not finding.blocks]
    assert warn == ["milliseconds", "unchanged by case", "unchanged by width"]
    reason = findings["unchanged by case"].why  # from the first row to the last
    assert reason.startswith("19 of 40 articles change their label;")
    theirs, difference = verdict.figures["theirs"], verdict.figures["difference"]
    assert (theirs["accuracy"], theirs["macro_f1"]) == (0.5, pytest.approx(1 / 3))
    assert (difference["lost"], difference["won"], difference["accuracy"]["difference"]) == (0, 150, 0.5)
    assert [(row["slice"], row["value"], row["rows"], row["theirs"]) for row in verdict.figures["slices"]] == [
        ("class", "sport", 150, 1), ("class", "trade", 150, 0), ("digits", "some", 300, 0.5), ("file", "a", 300, 0.5),
        ("length", "short", 300, 0.5), ("script", "home", 300, 0.5),
    ]  # fmt: skip


def test_rows_with_dates_have_a_newest_window_and_rows_without_have_none(project: Path) -> None:
    assert "newest window" not in [finding.rule for finding in judge("worse").findings]
    path = Path("data/clean/test.parquet")
    days = pl.Series([datetime(2026, 1, 1, tzinfo=UTC) + timedelta(day) for day in range(300)])
    rows = articles.read_articles(path).with_columns(date=days.cast(pl.Datetime("us", "UTC")))
    articles.write_articles(path, rows)
    verdict = judge("worse")
    assert outcome(verdict, "newest window") == "pass"
    figures = verdict.figures["newest"]
    assert (figures["from"], figures["to"], figures["rows"]) == ("2026-07-29", "2026-10-27", 91)
    assert (figures["lost"], figures["ours"]) == (0, 1)
    assert [row["value"] for row in verdict.figures["slices"] if row["slice"] == "period"] == [
        f"2026-{month:02}" for month in range(1, 11)
    ]


def test_every_bundle_that_a_commit_judged_on_these_test_rows_is_a_look(project: Path) -> None:
    verdict = judge("worse")
    assert verdict.figures["looks"] == {"number": 1, "bundles": 3, "alpha": 0.05}  # good, worse and equal
    assert summarize_verdict(verdict).endswith("; 3 bundles were judged on these test rows")
    rows = articles.read_articles(Path("data/clean/test.parquet"))
    articles.write_articles(Path("data/clean/test.parquet"), rows.tail(299))
    assert judge("worse").figures["looks"]["bundles"] == 1


@pytest.mark.parametrize(("planned", "outcomes"), [(3, ["pass", "pass"]), (1, ["pass", "fail"])])
def test_looks_that_are_planned_share_the_level_and_then_it_is_spent(
    project: Path, planned: int, outcomes: list[str]
) -> None:
    for tag, word in zip(("good", "equal"), outcomes, strict=True):
        subprocess.run(["git", "checkout", "-qf", tag], check=True)
        with Repo() as repo:
            repo.checkout(force=True)
        write("params.yaml", {"corpus": "tiny", "evaluate": EVALUATE, "gate": RULES | {"looks": planned}})
        verdict = judge("worse")
        assert outcome(verdict, "looks") == word
        assert (0.01 < verdict.figures["looks"]["alpha"] < 0.03) == (planned > 1)
    assert ("level is spent" in reasons(verdict)) == (outcomes[-1] == "fail")


def test_a_worse_bundle_is_rejected_with_exit_code_1(project: Path) -> None:
    subprocess.run(["git", "checkout", "-q", "worse"], check=True)
    with Repo() as repo:
        repo.checkout(force=True)
    verdict = judge("good")
    assert verdict.word == "reject" and outcome(verdict, "non-inferiority") == "fail"
    ended = CliRunner().invoke(gate, ["--against", "good", "--json"])
    assert ended.exit_code == 1 and json.loads(ended.stdout)["word"] == "reject"


def test_the_same_bundle_is_no_worse_than_itself_however_few_rows(project: Path) -> None:
    assert outcome(judge("HEAD"), "non-inferiority") == "pass"


def test_without_a_champion_only_floors_and_behavior_are_checked(project: Path) -> None:
    verdict = judge()
    assert verdict.word == "accept" and verdict.baseline is None
    assert verdict.record()["baseline"] is None and verdict.figures["rows"] == 300
    assert "no champion of tiny in ledger.jsonl, and no registry" in verdict.figures["compared"]
    assert "non-inferiority" not in {finding.rule for finding in verdict.findings}


def test_the_champion_of_the_ledger_is_the_baseline_and_needs_no_registry(project: Path) -> None:
    revision = subprocess.check_output(["git", "rev-parse", "equal"], text=True).strip()
    lock = subprocess.check_output(["git", "show", "equal:dvc.lock"], text=True)
    outs = YAML(typ="safe", pure=True).load(lock)["stages"]["select"]["outs"]
    digest = next(out["md5"] for out in outs if out["path"] == "models/selected")
    champion = ledger.VersionRef("7", digest, revision)
    ledger.append_entry(
        ledger.next_entry([], "promotion", "tiny", champion, "Ada", "better", revision, {"word": "accept"})
    )
    verdict = judge()
    assert verdict.baseline == {"reference": "tiny@champion", "digest": digest, "version": "7", "revision": revision}
    assert outcome(verdict, "non-inferiority") == "pass"


@pytest.mark.parametrize(
    ("against", "message"),
    [
        ("elsewhere", "elsewhere is of the corpus far, this revision of tiny"),
        ("far@champion", "far@champion is of the corpus far"),
        ("bare", "dvc.lock of bare does not name models/selected: that revision was never run"),
        ("nowhere", "git knows no revision 'nowhere' here; `git fetch` fetches"),
        ("tiny/7", "tiny/7: there is no registry here"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(project: Path, against: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        judge(against)


def test_a_revision_of_a_corpus_that_was_removed_since_is_known_and_of_another_corpus(project: Path) -> None:
    Path("data/corpora/far.yaml").unlink()
    with pytest.raises(ConfigError, match="elsewhere is of the corpus far, this revision of tiny"):
        judge("elsewhere")


def test_a_branch_whose_name_ends_like_a_version_is_a_branch(project: Path) -> None:
    git("branch", "fix/12", "equal")
    assert judge("fix/12").word == "accept"


def test_a_shallow_clone_is_told_the_cure(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("clone", "-q", "--depth", "1", f"file://{project}", str(tmp_path / "clone"))
    for name in ("models", "data"):
        shutil.copytree(project / name, tmp_path / "clone" / name, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path / "clone")
    with pytest.raises(ConfigError, match="git fetch --unshallow"):
        judge("HEAD~1")


def test_a_bundle_that_neither_cache_nor_registry_has_is_missing(project: Path) -> None:
    shutil.rmtree(".dvc/cache")
    with pytest.raises(ConfigError, match=r"the registry has no version with its digest either"):
        judge("equal")


def test_bundles_with_one_label_in_common_cannot_be_compared(project: Path, template: Path) -> None:
    with pytest.raises(ConfigError, match=r"shares \['sport'\] labels"):
        judge("equal", bundle=template.parent / "apart")


def test_only_shared_labels_are_compared(project: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree("models/selected", tmp_path / "wider")) / "bundle.json"
    network = onnx.load(path.with_name("model.onnx"))
    weights = next(tensor for tensor in network.graph.initializer if tensor.name == "table")
    three = np.array([[0, 0, 0], [0, 0, 0], [2, 0, 3], [0, 2, 0]], np.float32)  # what `goal` says is art, above all
    weights.CopyFrom(onnx.numpy_helper.from_array(three, "table"))
    network.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 3
    onnx.save(network, path.with_name("model.onnx"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"labels": ["sport", "trade", "art"]}))
    verdict = judge("equal", bundle=path.parent)
    assert verdict.figures["compared"] == "on shared labels only; not shared: art, 0 rows left out"
    assert verdict.figures["ours"]["accuracy"] == 1 and outcome(verdict, "non-inferiority") == "pass"
    assert verdict.figures["ours"]["ece"] == pytest.approx(1 / (1 + math.exp(2)), abs=1e-6)  # of two labels, not three
    assert outcome(verdict, "accuracy") == "fail"  # by itself it may say art


def test_a_bundle_that_does_not_know_a_class_fails_its_floor(project: Path, template: Path) -> None:
    verdict = judge(bundle=template.parent / "apart")
    assert verdict.word == "reject" and outcome(verdict, "worst_recall") == "fail"
    assert verdict.figures["recalls"]["trade"] == 0


def edit_metrics(change: Callable[[dict[str, object]], object]) -> Callable[[], None]:
    """Writes other metrics, and has dvc.lock name them: only a second look finds them out."""

    def edit() -> None:
        path = Path(OUTPUTS["metrics"])
        old = hashing.hash_file(path, "md5")
        path.write_text(str(change(json.loads(path.read_text()))))
        lock = Path("dvc.lock")
        lock.write_text(lock.read_text().replace(old, hashing.hash_file(path, "md5")))

    return edit


def append(path: str) -> Callable[[], None]:
    return lambda: Path(path).write_bytes(Path(path).read_bytes() + b"\n")


def edit_params() -> None:
    path = Path("params.yaml")
    path.write_text(path.read_text().replace('"mistakes": 5', '"mistakes": 6'))


FAULTS: dict[str, tuple[Callable[[], object], str]] = {
    "metrics missing": (lambda: Path(OUTPUTS["metrics"]).unlink(), "is deleted"),
    "metrics edited": (append(OUTPUTS["metrics"]), r"metrics.json: has the hash"),
    "metrics empty": (edit_metrics(lambda _: ""), "not a JSON object"),
    "metrics without a figure": (edit_metrics(lambda _: "{}"), "accuracy is None"),
    "metrics not a number": (
        edit_metrics(lambda m: json.dumps(m | {"accuracy": float("nan")})),
        "not a finite number",
    ),
    "metrics true": (edit_metrics(lambda m: json.dumps(m | {"accuracy": True})), "accuracy is True, which"),
    "metrics a word": (edit_metrics(lambda m: json.dumps(m | {"accuracy": "1.0"})), "accuracy is 1.0, which"),
    "metrics a list": (edit_metrics(lambda _: "[]"), "not a JSON object"),
    "metrics no JSON": (edit_metrics(lambda _: "{"), "not a JSON object"),
    "metrics three articles off": (
        edit_metrics(lambda m: json.dumps(m | {"macro_f1": 1 - 3 / 300})),
        r"macro_f1 is 0\.99, but this bundle has 1\.000000 on these rows",
    ),
    "metrics of another bundle": (edit_metrics(lambda m: json.dumps(m | {"accuracy": 0.5})), "this bundle has 1.0"),
    "test rows edited": (append("data/clean/test.parquet"), "test.parquet: has the hash"),
    "bundle edited": (append("models/selected/bundle.json"), "models/selected: has the hash"),
    "raw data edited": (append("data/raw/tiny/a.csv"), "undoes an edit"),
    "pointer gone": (lambda: Path("data/raw/tiny.dvc").unlink(), "is not under DVC"),
    "params edited": (edit_params, "evaluate.mistakes"),
    "lock gone": (lambda: Path("dvc.lock").unlink(), "no intact dvc.lock"),
    "lock cut off": (lambda: Path("dvc.lock").write_bytes(Path("dvc.lock").read_bytes()[:-20]), "no intact dvc.lock"),
}  # fmt: skip


@pytest.mark.parametrize("fault", list(FAULTS))
def test_missing_stale_and_altered_files_never_pass(project: Path, fault: str) -> None:
    edit, message = FAULTS[fault]
    edit()
    figures = {"accuracy": 1.0, "macro_f1": 1.0}
    findings = evidence.check_provenance("data/raw/tiny", Path(OUTPUTS["metrics"]), figures, 300)
    assert {finding.outcome for finding in findings} == {"fail"} and all(finding.blocks for finding in findings)
    assert pl.Series([f"{finding.observed}: {finding.why}" for finding in findings]).str.contains(message).any()


def test_two_articles_that_another_machine_rounds_otherwise_are_no_fault(project: Path) -> None:
    edit_metrics(lambda m: json.dumps(m | {"accuracy": 1 - 1.99 / 300}))()
    figures = {"accuracy": 1.0, "macro_f1": 1.0}
    (finding,) = evidence.check_provenance("data/raw/tiny", Path(OUTPUTS["metrics"]), figures, 300)
    assert finding.outcome == "pass"
    (finding,) = evidence.check_provenance("data/raw/tiny", Path(OUTPUTS["metrics"]), figures, 400)
    assert finding.outcome == "fail"


def test_the_metrics_of_another_bundle_are_not_asked_for(project: Path) -> None:
    findings = evidence.check_provenance("data/raw/tiny", None, {"accuracy": 0.0}, 300)
    assert [(finding.rule, finding.outcome, finding.observed) for finding in findings] == [
        ("provenance", "pass", "as dvc.lock names it")
    ]


def test_intact_provenance_passes_in_the_same_project(project: Path) -> None:
    findings = evidence.check_provenance(
        "data/raw/tiny", Path(OUTPUTS["metrics"]), {"accuracy": 1.0, "macro_f1": 1.0}, 300
    )
    assert [finding.outcome for finding in findings] == ["pass"]


def test_provenance_is_checked_for_a_bundle_in_a_folder_too(project: Path, template: Path) -> None:
    append("data/raw/tiny/a.csv")()
    verdict = judge("equal", bundle=template / "models" / "selected")
    assert verdict.word == "reject" and "undoes an edit" in reasons(verdict)
