"""What made a model, both ways, and how much each link holds."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from lineages import Run, begin, commit, forget, git, lay_down, make_shallow, push
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError

from gazette.cli.app import gazette
from gazette.lineage import card, sightings, trace, weak_links
from gazette.lineage.proof import reproduce
from gazette.pipeline.dvclock import DvcLock
from gazette.registry import ledger, resolve
from gazette.registry import versions as registry
from gazette.registry.store import address
from gazette.registry.store.model import RegisteredModel, RegisteredVersion

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


def versions(monkeypatch: pytest.MonkeyPatch, *registered: RegisteredVersion) -> None:
    model = RegisteredModel({version.number: version for version in registered}, {"champion": registered[0].number})
    monkeypatch.setattr(address, "registry_exists", lambda: True)
    monkeypatch.setattr(registry, "get_model", lambda name: model)


def version(digest: str, number: str = "1", **tags: str) -> RegisteredVersion:
    return RegisteredVersion(
        "tiny", number, digest, ["champion"], {"digest": digest, "tree": "clean"} | tags, f"run{number}"
    )


def weak(model: trace.ModelLineage) -> set[str]:
    return {link["link"] for link in model.weak}


def decide(kind: str, digest: str, reason: str, word: str) -> None:
    """Writes a line into the ledger, as `gazette promote` does."""
    place, when = ledger.VersionRef("1", digest, "f" * 40), datetime(2026, 1, 1, tzinfo=UTC)
    entry = ledger.next_entry(ledger.read_ledger(), kind, "tiny", place, "Ada", reason, "f" * 40, {"word": word}, when)
    ledger.append_entry(entry)


def test_a_commit_leads_to_the_model_and_to_all_that_made_it() -> None:
    model = trace.trace("HEAD")
    assert model.digest == hashing.dvc_hash(Path("models/selected"))
    assert model.revisions == [git("rev-parse", "HEAD")]
    assert model.raw["files"] == {"all.csv": hashing.hash_file(Path("data/raw/tiny/all.csv"), "md5")}
    train = model.stages["train@one"]
    assert train["params"] == {"train": {"seed": 7}} and train["packages"] == {"keras": "3.15.1"}
    assert train["code"] == {"src/gazette/fit": hashing.dvc_hash(Path("src/gazette/fit"))}
    assert train["outputs"] == {"models/candidates/one": model.digest}


def test_a_candidate_that_params_no_longer_list_made_no_model() -> None:
    lay_down(replace(FIRST, seed=8))
    lock = json.loads(Path("dvc.lock").read_text())
    deps = [{"path": path, "md5": "0" * 32} for path in ("data/corpora/old.yaml", "src/gazette/fit")]
    lock["stages"]["train@two"] = {"cmd": "gazette train --candidate two", "deps": deps, "outs": []}
    Path("dvc.lock").write_text(json.dumps(lock))
    with Path("params.yaml").open("a") as params:
        params.write("candidates: [one]\npretrained: {fine_tune: {}, linear_probe: {}}\nteachers: {}\n")
    git("commit", "-qam", "two is no candidate any more")
    model = trace.trace("HEAD")
    assert "train@one" in model.stages and "train@two" not in model.stages
    assert weak_links.OTHER_CODE not in weak(model)
    assert "the best of 1 candidate on" in card.render_card(model)
    with pytest.raises(ConfigError, match="not a version"):
        sightings.trace_file("data/corpora/old.yaml")


def test_unknown_facts_are_listed_with_the_reason() -> None:
    unknown = "\n".join(trace.trace("HEAD").unknown)
    assert re.search(r"version, MLflow's run: there is no registry here", unknown)
    assert re.search(r"verdict: there is no ledger\.jsonl", unknown)
    assert re.search(r"Prefect's run: the commit's message has no", unknown)


def test_the_flow_run_is_read_off_the_commits_message() -> None:
    commit(replace(FIRST, seed=8, message="Retrained: train\n\nFlow-Run: clever-crow\nStages-Run: train\n"))
    assert trace.trace("HEAD").commit["flow_run"] == "clever-crow"


def test_version_digest_folder_and_commit_lead_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashing.dvc_hash(Path("models/selected"))
    versions(monkeypatch, version(digest, "3"))
    models = [trace.trace(name) for name in ("tiny/3", "tiny@champion", digest, "models/selected", "HEAD")]
    assert all(model == models[0] for model in models)
    assert models[0].versions[0]["run"] == "run3"
    with pytest.raises(ConfigError, match=r"no such version; there is tiny@champion \(version 3\)"):
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
    raw = hashing.hash_file(Path("data/raw/tiny/all.csv"), "md5")
    (tmp_path / "remote/files/md5" / raw[:2] / raw[2:]).unlink()
    links = trace.trace("HEAD").weak
    assert [link["link"] for link in links] == [weak_links.LOCAL_DATA] and links[0]["why"].startswith("1 objects")


def test_data_that_are_nowhere_are_missing_at_the_remote_too(tmp_path: Path) -> None:
    push(tmp_path / "remote")
    folder = hashing.dvc_hash(Path("data/raw/tiny"))
    forget(folder)
    (tmp_path / "remote/files/md5" / folder[:2] / folder[2:]).unlink()
    assert weak_links.LOCAL_DATA in weak(trace.trace("HEAD"))


def test_a_remote_that_does_not_answer_is_a_weak_link(tmp_path: Path) -> None:
    push(tmp_path / "remote")
    Path(".dvc/config.local").write_text("[core]\n    remote = gone\n")
    assert weak_links.LOCAL_DATA in weak(trace.trace("HEAD"))


def test_a_dirty_tree_stays_a_weak_link(monkeypatch: pytest.MonkeyPatch) -> None:
    versions(monkeypatch, version(hashing.dvc_hash(Path("models/selected")), tree="dirty", base_commit="a" * 40))
    assert weak_links.DIRTY in weak(trace.trace("tiny/1"))


def test_an_override_stays_a_weak_link_of_the_model_that_it_promoted() -> None:
    first = trace.trace("HEAD").digest
    commit(replace(FIRST, seed=8))
    second = trace.trace("HEAD").digest
    decide("override", first, "the board wants it", "reject")
    decide("promotion", second, "", "accept")
    assert weak_links.OVERRIDE in weak(trace.trace(first))
    assert weak_links.OVERRIDE not in weak(trace.trace(second))
    assert [entry["became"] for entry in trace.trace(first).verdicts] == ["champion", "previous"]


def test_unreadable_lines_of_the_ledger_are_listed_and_the_rest_is_read() -> None:
    decide("promotion", trace.trace("HEAD").digest, "", "accept")
    assert weak_links.ALTERED not in weak(trace.trace("HEAD"))
    with Path("ledger.jsonl").open("a") as file:
        file.write("not json\n[]\n")
    model = trace.trace("HEAD")
    assert len(model.verdicts) == 1 and weak_links.ALTERED in weak(model)
    assert [line for line in model.unknown if "ledger" in line] == [
        f"verdict: line {number} of ledger.jsonl is not an entry; `gazette ledger --verify` gives details"
        for number in (2, 3)
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
    versions(monkeypatch, version(first, "1"), version(hashing.dvc_hash(Path("models/selected")), "2"))
    seen = sightings.trace_file("data/raw/tiny/all.csv").sightings
    assert [(sighting.versions, sighting.same, sighting.rows) for sighting in seen] == [
        (["tiny/1"], False, {"train": 2, "valid": 0, "test": 1}),
        (["tiny/2"], True, {"train": 3, "valid": 0, "test": 1}),
    ]


def test_a_copy_under_another_name_and_a_hash_lead_there_too(tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_bytes(Path("data/raw/tiny/all.csv").read_bytes())
    for name in (str(copy), hashing.hash_file(copy, "md5")):
        (sighting,) = sightings.trace_file(name).sightings
        assert (sighting.path, sighting.same) == ("data/raw/tiny/all.csv", True)
    copy.write_text("label,text\nsport,never seen\n")
    assert not sightings.trace_file(str(copy)).sightings


def test_code_and_what_was_made_lead_there_too() -> None:
    for path in ("src/gazette/fit/fit.py", "data/clean/train.parquet", "models/selected"):
        assert [sighting.same for sighting in sightings.trace_file(path).sightings] == [True]


def test_raw_files_that_the_cache_cannot_list_are_said_to_be_unknown() -> None:
    forget(hashing.dvc_hash(Path("data/raw/tiny")))
    assert any("raw files" in line for line in trace.trace("HEAD").unknown)
    assert any("raw files" in line for line in sightings.trace_file("data/raw/tiny/all.csv").unknown)


def test_a_file_is_followed_across_a_rename() -> None:
    git("mv", "src/gazette/fit/fit.py", "src/gazette/fit/solver.py")
    git("commit", "-q", "-m", "renamed")
    (sighting,) = sightings.trace_file("src/gazette/fit/solver.py").sightings
    assert (sighting.revision, sighting.path, sighting.same) == (
        git("rev-parse", "HEAD~1"),
        "src/gazette/fit/fit.py",
        True,
    )


def test_a_file_that_a_revision_lacks_is_not_an_empty_one() -> None:
    Path("src/gazette/fit/empty.py").write_text("")
    assert not sightings.trace_file("src/gazette/fit/empty.py").sightings
    commit(replace(FIRST, seed=8))
    (sighting,) = sightings.trace_file("src/gazette/fit/empty.py").sightings
    assert (sighting.path, sighting.same) == ("src/gazette/fit/empty.py", True)


def ran(path: str, md5: str) -> DvcLock:
    return DvcLock(git("rev-parse", "HEAD"), {"train": {"cmd": "gazette train", "deps": [{"path": path, "md5": md5}]}})


def test_code_that_was_only_moved_is_the_commits_and_other_code_is_not() -> None:
    md5 = hashing.hash_file(Path("src/gazette/fit/fit.py"), "md5")
    assert weak_links.check_code(ran("src/gazette/fit/fit.py", md5)) == []
    assert weak_links.check_code(ran("src/gazette/solver.py", md5)) == []
    for path, digest in (("src/gazette/fit/fit.py", "0"), ("src/gazette/solver.py", "0")):
        (link,) = weak_links.check_code(ran(path, digest))
        assert link["link"] == weak_links.OTHER_CODE and path in link["why"]


def test_a_folder_or_a_file_that_the_commit_lacks_is_not_an_empty_one() -> None:
    for path, digest in (("src/gazette/gone", hashing.dvc_hash_of({})), ("src/gone.py", hashlib.md5(b"").hexdigest())):
        assert [link["link"] for link in weak_links.check_code(ran(path, digest))] == [weak_links.OTHER_CODE]


@pytest.mark.parametrize("command", [["lineage", "HEAD"], ["card", "HEAD"], ["diff", "HEAD"], ["ci", "--base", "HEAD"]])
def test_a_revision_of_an_earlier_version_is_refused_with_one_sentence(command: list[str]) -> None:
    lock = Path("dvc.lock")
    lock.write_text(lock.read_text().replace("--validated", "--valid-articles"))
    git("commit", "-qam", "earlier")
    revision = git("rev-parse", "HEAD")[:9]
    done = CliRunner().invoke(gazette, command)
    if command[0] == "ci":
        message = done.output
        assert done.exit_code == ConfigError.code
    else:
        message = str(done.exception)
        assert isinstance(done.exception, ConfigError) and "\n" not in message
    assert f"revision {revision} was recorded by an earlier version of Gazette" in message
    assert f"gazette reproduce {revision}" in message and "unknown" not in message


def test_a_file_and_the_revisions_of_a_bundle_are_traced_through_earlier_versions_too() -> None:
    lock = Path("dvc.lock")
    lock.write_text(lock.read_text().replace("--validated", "--valid-articles"))
    git("commit", "-qam", "earlier")
    assert sightings.trace_file("data/raw/tiny/all.csv").sightings
    assert len(resolve.list_revisions(hashing.dvc_hash(Path("models/selected")))) == 1
    assert reproduce.revision_identity("HEAD") == ("tiny", hashing.dvc_hash(Path("models/selected")))


def test_a_model_that_only_a_merge_selected_or_that_a_merge_left_behind_has_its_revision() -> None:
    ours, theirs, merged = (replace(FIRST, seed=seed) for seed in (8, 9, 10))
    commit(ours)
    git("checkout", "-q", "-b", "theirs", "HEAD~1")
    left_behind = commit(theirs), hashing.dvc_hash(Path("models/selected"))
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-commit", "--strategy", "ours", "theirs")
    git("branch", "-q", "-D", "theirs")
    selected = commit(merged), hashing.dvc_hash(Path("models/selected"))
    for revision, digest in (left_behind, selected):
        assert resolve.list_revisions(digest) == [revision]
    digests = {sighting.digest for sighting in sightings.trace_file("data/raw/tiny/all.csv").sightings}
    assert len(digests) == 4 and {left_behind[1], selected[1]} < digests


def test_the_hash_of_anything_but_a_bundle_is_that_of_a_file() -> None:
    assert trace.is_model(hashing.dvc_hash(Path("models/selected")))
    assert not trace.is_model(hashing.dvc_hash(Path("data/raw/tiny")))
    assert [sighting.path for sighting in sightings.trace_file(hashing.dvc_hash(Path("data/raw/tiny"))).sightings] == [
        "data/raw/tiny"
    ]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="not a version, a digest, a commit, a file here"):
        sightings.trace_file("nowhere.csv")


def test_the_commands_show_it() -> None:
    run = CliRunner()
    shown = run.invoke(gazette, ["lineage", "HEAD"], catch_exceptions=False).output
    assert "weak link: a commit on no remote" in shown and "all.csv" in shown and "unknown" in shown
    record = json.loads(run.invoke(gazette, ["lineage", "HEAD", "--json"], catch_exceptions=False).output)
    assert record["raw"]["files"] and record["weak"]
    shown = run.invoke(gazette, ["lineage", "data/raw/tiny/all.csv"], catch_exceptions=False).output
    assert "train 2, valid 0, test 1" in shown


def test_a_card_contains_the_records_and_the_weak_links(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashing.dvc_hash(Path("models/selected"))
    versions(monkeypatch, version(digest, tree="dirty"))
    decide("override", digest, "<b>because</b>", "reject")
    text = card.render_card(trace.trace("tiny/1"))
    assert text == card.render_card(trace.trace("tiny/1"))
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


def test_a_card_rounds_the_accuracy_of_a_slice_as_the_report_does(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"slice": "length", "value": "long", "rows": "21", "accuracy": "0.952381"}]
    monkeypatch.setattr(card, "read_slices", lambda _: rows)
    assert "| length: long | 21 | 0.9524 |" in card.render_card(trace.trace("HEAD"))


def test_a_card_of_a_version_without_a_commit_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    versions(monkeypatch, version("0" * 32 + ".dir"))
    text = card.render_card(trace.trace("tiny/1"))
    assert "none: no commit names it" in text and "None were recorded." in text


def test_a_card_goes_to_a_file_whole(tmp_path: Path) -> None:
    CliRunner().invoke(gazette, ["card", "HEAD", "--to", "CARD.md"], catch_exceptions=False)
    assert Path("CARD.md").read_text(encoding="utf-8").startswith("# ")


def test_a_model_whose_commit_a_shallow_clone_lacks_is_no_uncommitted_one(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashing.dvc_hash(Path("models/selected"))
    versions(monkeypatch, version(digest))
    commit(replace(FIRST, seed=8))
    make_shallow()
    with pytest.raises(ConfigError, match="unshallow") as failure:
        resolve.resolve_commit("tiny/1")
    assert "never committed" not in str(failure.value)
    assert [link["why"] for link in trace.trace("tiny/1").weak if "unshallow" in link["why"]]
    with pytest.raises(ConfigError, match="nor the registry has this bundle in this shallow clone"):
        trace.trace_digest("0" * 32)
