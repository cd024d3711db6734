"""What made a model, both ways, and how much each link holds."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from lineages import Run, begin, commit, forget, git, lay_down, push

from gazette.cli.app import gazette
from gazette.core.errors import Misconfigured
from gazette.lineage import card, sightings, trace, weak_links
from gazette.pipeline import hashing
from gazette.registry import ledger, lookup
from gazette.registry.lookup import Answer, Registered

ARTICLES = [("match 1", "sport", "train"), ("match 2", "sport", "train"), ("the goal", "sport", "test")]
FIRST = Run(ARTICLES)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose first run is committed."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    begin()
    commit(FIRST)
    return folder


def versions(monkeypatch: pytest.MonkeyPatch, *found: Registered) -> None:
    monkeypatch.setattr(lookup, "ask", lambda name: Answer(list(found)))


def version(digest: str, number: str = "1", **tags: str) -> Registered:
    return Registered("tiny", number, digest, ["champion"], {"digest": digest, "tree": "clean"} | tags, f"run{number}")


def weak(model: trace.Model) -> set[str]:
    return {one["link"] for one in model.weak}


def decide(kind: str, digest: str, reason: str, word: str) -> None:
    """Writes a line into the ledger, as `gazette promote` does."""
    place, when = ledger.Place("1", digest, "f" * 40), datetime(2026, 1, 1, tzinfo=UTC)
    entry = ledger.next_entry(ledger.read(), kind, "tiny", place, "Ada", reason, "f" * 40, {"word": word}, when)
    ledger.append(entry)


def test_a_commit_leads_to_the_model_and_to_all_that_made_it() -> None:
    model = trace.trace("HEAD")
    assert model.digest == hashing.of_bundle(Path("models/selected"))
    assert model.revisions == [git("rev-parse", "HEAD")]
    assert model.raw["files"] == {"all.csv": hashing.of_file(Path("data/raw/tiny/all.csv"), "md5")}
    train = model.stages["train@one"]
    assert train["params"] == {"train": {"seed": 7}} and train["packages"] == {"keras": "3.15.1"}
    assert train["code"] == {"src/gazette/fit": hashing.of_bundle(Path("src/gazette/fit"))}
    assert train["made"] == {"models/candidates/one": model.digest}


def test_what_is_not_here_is_said_with_why() -> None:
    said = "\n".join(trace.trace("HEAD").unknown)
    assert re.search(r"version, MLflow's run: there is no registry here", said)
    assert re.search(r"verdict: there is no ledger\.jsonl", said)
    assert re.search(r"Prefect's run: the commit's message has no", said)


def test_the_flow_run_is_read_off_the_commits_message() -> None:
    commit(replace(FIRST, seed=8, message="Retrained: train\n\nFlow-Run: clever-crow\nStages-Run: train\n"))
    assert trace.trace("HEAD").commit["flow_run"] == "clever-crow"


def test_version_digest_folder_and_commit_lead_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashing.of_bundle(Path("models/selected"))
    versions(monkeypatch, version(digest, "3"))
    found = [trace.trace(asked) for asked in ("tiny/3", "tiny@champion", digest, "models/selected", "HEAD")]
    assert all(one == found[0] for one in found)
    assert found[0].versions[0]["run"] == "run3"
    with pytest.raises(Misconfigured, match="no such version; there is tiny/3"):
        trace.trace("tiny/4")


def test_the_revision_is_the_first_commit_that_selected_the_bundle() -> None:
    first = git("rev-parse", "HEAD")
    commit(replace(FIRST, seed=8))
    commit(replace(FIRST, message="back again"))
    assert trace.trace("HEAD").revisions[0] == first


def test_without_remotes_commit_and_data_are_weak_links_and_with_them_not(tmp_path: Path) -> None:
    assert weak(trace.trace("HEAD")) == {weak_links.LOCAL_COMMIT, weak_links.LOCAL_DATA}
    push(tmp_path / "remote")
    git("init", "-q", "--bare", str(tmp_path / "origin"))
    git("remote", "add", "origin", str(tmp_path / "origin"))
    assert weak(trace.trace("HEAD")) == {weak_links.LOCAL_COMMIT}
    git("push", "-q", "origin", "main")
    assert not trace.trace("HEAD").weak
    raw = hashing.of_file(Path("data/raw/tiny/all.csv"), "md5")
    (tmp_path / "remote/files/md5" / raw[:2] / raw[2:]).unlink()
    found = trace.trace("HEAD").weak
    assert [one["link"] for one in found] == [weak_links.LOCAL_DATA] and found[0]["why"].startswith("1 objects")


def test_data_that_are_nowhere_are_missing_at_the_remote_too(tmp_path: Path) -> None:
    push(tmp_path / "remote")
    folder = hashing.of_bundle(Path("data/raw/tiny"))
    forget(folder)
    (tmp_path / "remote/files/md5" / folder[:2] / folder[2:]).unlink()
    assert weak_links.LOCAL_DATA in weak(trace.trace("HEAD"))


def test_a_remote_that_does_not_answer_is_a_weak_link(tmp_path: Path) -> None:
    push(tmp_path / "remote")
    Path(".dvc/config.local").write_text("[core]\n    remote = gone\n")
    assert weak_links.LOCAL_DATA in weak(trace.trace("HEAD"))


def test_a_dirty_tree_stays_a_weak_link(monkeypatch: pytest.MonkeyPatch) -> None:
    versions(monkeypatch, version(hashing.of_bundle(Path("models/selected")), tree="dirty", base_commit="a" * 40))
    assert weak_links.DIRTY in weak(trace.trace("tiny/1"))


def test_an_override_stays_a_weak_link_of_the_model_that_it_promoted() -> None:
    first = trace.trace("HEAD").digest
    commit(replace(FIRST, seed=8))
    second = trace.trace("HEAD").digest
    decide("override", first, "the board wants it", "reject")
    decide("promotion", second, "", "accept")
    assert weak_links.OVERRIDE in weak(trace.trace(first))
    assert weak_links.OVERRIDE not in weak(trace.trace(second))
    assert [one["became"] for one in trace.trace(first).verdicts] == ["champion", "previous"]


def test_a_ledger_that_cannot_be_read_is_said_and_the_rest_of_it_read() -> None:
    decide("promotion", trace.trace("HEAD").digest, "", "accept")
    assert weak_links.ALTERED not in weak(trace.trace("HEAD"))
    with Path("ledger.jsonl").open("a") as file:
        file.write("not json\n[]\n")
    model = trace.trace("HEAD")
    assert len(model.verdicts) == 1 and weak_links.ALTERED in weak(model)
    assert [line for line in model.unknown if "ledger" in line] == [
        f"verdict: line {number} of ledger.jsonl is no entry; `gazette ledger --verify` says more" for number in (2, 3)
    ]


def test_code_and_data_that_are_not_the_commits_are_weak_links() -> None:
    lay_down(replace(FIRST, seed=8, code="fit = 2\n"))
    Path("src/gazette/fit/fit.py").write_text("fit = 3\n")
    Path("data/raw/tiny.dvc").write_text('{"outs": [{"md5": "0", "path": "tiny"}]}')
    git("commit", "-qam", "edited afterwards")
    assert {weak_links.OTHER_CODE, weak_links.OTHER_DATA} <= weak(trace.trace("HEAD"))


def test_a_version_that_no_commit_names_is_a_weak_link(monkeypatch: pytest.MonkeyPatch) -> None:
    versions(monkeypatch, version("0" * 32 + ".dir"))
    model = trace.trace("tiny/1")
    assert weak(model) == {weak_links.UNCOMMITTED} and not model.stages


def test_a_raw_file_leads_to_the_versions_that_saw_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first = trace.trace("HEAD").digest
    commit(replace(FIRST, articles=[*ARTICLES, ("match 3", "sport", "train")], seed=8))
    versions(monkeypatch, version(first, "1"), version(hashing.of_bundle(Path("models/selected")), "2"))
    seen = sightings.of_file("data/raw/tiny/all.csv").sightings
    assert [(one.versions, one.same, one.rows) for one in seen] == [
        (["tiny/1"], False, {"train": 2, "valid": 0, "test": 1}),
        (["tiny/2"], True, {"train": 3, "valid": 0, "test": 1}),
    ]


def test_a_copy_under_another_name_and_a_hash_lead_there_too(tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_bytes(Path("data/raw/tiny/all.csv").read_bytes())
    for asked in (str(copy), hashing.of_file(copy, "md5")):
        (one,) = sightings.of_file(asked).sightings
        assert (one.path, one.same) == ("data/raw/tiny/all.csv", True)
    copy.write_text("label,text\nsport,never seen\n")
    assert not sightings.of_file(str(copy)).sightings


def test_code_and_what_was_made_lead_there_too() -> None:
    for path in ("src/gazette/fit/fit.py", "data/clean/train.parquet", "models/selected"):
        assert [one.same for one in sightings.of_file(path).sightings] == [True]


def test_raw_files_that_the_cache_cannot_list_are_said_to_be_unknown() -> None:
    forget(hashing.of_bundle(Path("data/raw/tiny")))
    assert any("raw files" in line for line in trace.trace("HEAD").unknown)
    assert any("raw files" in line for line in sightings.of_file("data/raw/tiny/all.csv").unknown)


def test_the_hash_of_what_is_no_bundle_is_that_of_a_file() -> None:
    assert trace.is_model(hashing.of_bundle(Path("models/selected")))
    assert not trace.is_model(hashing.of_bundle(Path("data/raw/tiny")))
    assert [one.path for one in sightings.of_file(hashing.of_bundle(Path("data/raw/tiny"))).sightings] == [
        "data/raw/tiny"
    ]


def test_what_is_nothing_at_all_is_named() -> None:
    with pytest.raises(Misconfigured, match="neither a version, a digest, a commit, a file here"):
        sightings.of_file("nowhere.csv")


def test_the_commands_show_it() -> None:
    run = CliRunner()
    shown = run.invoke(gazette, ["lineage", "HEAD"], catch_exceptions=False).output
    assert "weak link: a commit no remote has" in shown and "all.csv" in shown and "not known" in shown
    told = json.loads(run.invoke(gazette, ["lineage", "HEAD", "--json"], catch_exceptions=False).output)
    assert told["raw"]["files"] and told["weak"]
    shown = run.invoke(gazette, ["lineage", "data/raw/tiny/all.csv"], catch_exceptions=False).output
    assert "train 2, valid 0, test 1" in shown


def test_a_card_tells_what_was_recorded_and_what_holds_less(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashing.of_bundle(Path("models/selected"))
    versions(monkeypatch, version(digest, tree="dirty"))
    decide("override", digest, "<b>because</b>", "reject")
    text = card.write(trace.trace("tiny/1"))
    assert text == card.write(trace.trace("tiny/1"))
    for words in (
        "# tiny/1",
        digest,
        "dirty tree",
        "a verdict by override",
        "verdict reject",
        "nobody \\| may",
        "keras",
    ):
        assert words in text
    assert "<b>" not in text and "{{" not in text
    assert "\n\n\n" not in text


def test_a_card_of_a_version_without_a_commit_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    versions(monkeypatch, version("0" * 32 + ".dir"))
    text = card.write(trace.trace("tiny/1"))
    assert "none: no commit names it" in text and "None were recorded." in text


def test_a_card_goes_to_a_file_whole(tmp_path: Path) -> None:
    CliRunner().invoke(gazette, ["card", "HEAD", "--to", "CARD.md"], catch_exceptions=False)
    assert Path("CARD.md").read_text(encoding="utf-8").startswith("# ")
