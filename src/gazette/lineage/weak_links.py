"""Weak links: steps of a lineage that cannot be fully verified. They are listed wherever the model is shown."""

import hashlib
from typing import Any

from prefect_dvc import git, hashing, revisions
from prefect_dvc.core.errors import ConfigError

from gazette.core import layout
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock
from gazette.registry import ledger
from gazette.registry.store.model import RegisteredVersion

DIRTY = "dirty tree"
UNCOMMITTED = "no commit"
LOCAL_COMMIT = "a commit on no remote"
LOCAL_DATA = "data on no remote"
OVERRIDE = "a verdict by override"
OTHER_CODE = "other code"
OTHER_DATA = "other data"
ALTERED = "an altered ledger"


def weak_link(link: str, why: str) -> dict[str, str]:
    """Return a weak link with its reason."""
    return {"link": link, "why": why}


def check_versions(versions: list[RegisteredVersion]) -> list[dict[str, str]]:
    """Report versions that were registered from a dirty tree."""
    return [
        weak_link(
            DIRTY,
            f"{version.name}/{version.number} was registered while files under git differed from commit "
            f"{version.tags.get('base_commit', '')[:9] or 'unknown'}",
        )
        for version in versions
        if version.tags.get("tree") == "dirty"
    ]


def check_entries(entries: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Report promotions that overrode the gate."""
    return [
        weak_link(
            OVERRIDE, f"{entry.get('who', 'somebody')} on {entry.get('when', 'an unknown day')}: {entry.get('reason')}"
        )
        for entry in entries
        if entry.get("kind") == "override" and entry["became"] == "champion"
    ]


def check_ledger() -> list[dict[str, str]]:
    """Report a broken chain of the ledger, if there is a ledger."""
    errors = ledger.verify_chain(ledger.read_lines())
    details = "`gazette ledger --verify` gives details"
    return [weak_link(ALTERED, f"{ledger.PATH}, {'; '.join(errors)}: {details}")] if errors else []


def check_commit(commit: str) -> list[dict[str, str]]:
    """Report a commit that no remote has, as of the last fetch or push."""
    if not git.run("remote"):
        return [weak_link(LOCAL_COMMIT, "git has no remote: the history is only in this clone")]
    if git.run("for-each-ref", "--count=1", f"--contains={commit}", "refs/remotes"):
        return []
    return [weak_link(LOCAL_COMMIT, f"no branch of a remote contains {commit[:9]}; `git push` publishes it")]


def check_data(commit: str) -> list[dict[str, str]]:
    """Report objects named by the commit's locks and pointers that DVC's remote lacks."""
    try:
        missing = revisions.count_missing_on_remote(commit)
    except ConfigError as error:
        return [weak_link(LOCAL_DATA, str(error))]
    return [weak_link(LOCAL_DATA, f"{missing:,} objects are not on DVC's remote; `dvc push`")] if missing else []


def check_code(lock: DvcLock) -> list[dict[str, str]]:
    """Report code that ran but is not the commit's, and raw data that differ from their pointer.

    A file that the commit only moved, with the same bytes, is the commit's code.
    """
    if lock.commit is None:
        return []
    ran = {path: digest for path, digest in dvclock.list_inputs(lock.stages).items() if path.startswith(layout.CODE)}
    actual = _hashes(lock.commit, list(ran))
    mismatches = sorted(path for path, digest in ran.items() if actual.get(path) != digest)
    if not actual.keys() >= set(mismatches):
        everywhere = set(_hashes(lock.commit, [folder.rstrip("/") for folder in layout.CODE]).values())
        mismatches = [path for path in mismatches if path in actual or ran[path] not in everywhere]
    raw = lock.option("validate", "raw")
    outs = lock.yaml(f"{raw}.dvc").get("outs", [{}])
    links = []
    if mismatches:
        links.append(
            weak_link(OTHER_CODE, f"the code that ran is not that of {lock.commit[:9]}: {', '.join(mismatches)}")
        )
    if raw and outs[0].get("md5") != lock.hash_of(raw):
        links.append(weak_link(OTHER_DATA, f"{raw}.dvc names {outs[0].get('md5')}, the run read {lock.hash_of(raw)}"))
    return links


def _hashes(commit: str, paths: list[str]) -> dict[str, str]:
    """Return DVC's hash of each file or folder in a commit; a path that the commit lacks is left out."""
    files = git.list_names("ls-tree", "-r", "-z", "--name-only", commit, "--", *paths)
    hashes = {file: hashlib.md5(git.show_bytes(commit, file)).hexdigest() for file in files}
    for path in paths:
        inside = {file.removeprefix(path + "/"): hashes[file] for file in files if file.startswith(path + "/")}
        hashes |= {path: hashing.dvc_hash_of(inside)} if inside else {}
    return hashes
