"""Links of a lineage that hold less than others: each is named wherever the model is shown."""

import hashlib
import json
from typing import Any

from gazette.core.errors import Misconfigured
from gazette.pipeline import git, revisions
from gazette.pipeline.dvclock import State
from gazette.registry import ledger
from gazette.registry.lookup import Registered

DIRTY = "dirty tree"
UNCOMMITTED = "no commit"
LOCAL_COMMIT = "a commit no remote has"
LOCAL_DATA = "data no remote has"
OVERRIDE = "a verdict by override"
OTHER_CODE = "other code"
OTHER_DATA = "other data"
ALTERED = "an altered ledger"


def weak(link: str, why: str) -> dict[str, str]:
    """A link that is weak, and why."""
    return {"link": link, "why": why}


def of_versions(versions: list[Registered]) -> list[dict[str, str]]:
    """Versions that were registered while files under git differed from the commit they name."""
    return [
        weak(
            DIRTY,
            f"{one.name}/{one.number} was registered while files under git differed from commit "
            f"{one.tags.get('base_commit', '')[:9] or 'unknown'}",
        )
        for one in versions
        if one.tags.get("tree") == "dirty"
    ]


def of_entries(entries: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Promotions that somebody made against the gate."""
    return [
        weak(
            OVERRIDE, f"{entry.get('who', 'somebody')} on {entry.get('when', 'an unknown day')}: {entry.get('reason')}"
        )
        for entry in entries
        if entry.get("kind") == "override" and entry["became"] == "champion"
    ]


def of_ledger() -> list[dict[str, str]]:
    """Whether the ledger's chain holds, where there is a ledger."""
    wrong = ledger.verify(ledger.lines())
    return [weak(ALTERED, f"{ledger.PATH}, {'; '.join(wrong)}: `gazette ledger --verify` says more")] if wrong else []


def of_commit(commit: str) -> list[dict[str, str]]:
    """Whether a remote has the commit, as far as the last fetch or push knows."""
    if not git.said("remote"):
        return [weak(LOCAL_COMMIT, "git has no remote: the history is in this clone alone")]
    if git.said("branch", "--remotes", "--contains", commit):
        return []
    return [weak(LOCAL_COMMIT, f"no branch of a remote contains {commit[:9]}; `git push` brings it there")]


def of_data(commit: str) -> list[dict[str, str]]:
    """Whether DVC's remote has what the commit's locks and pointers name."""
    try:
        missing = revisions.absent(commit)
    except Misconfigured as error:
        return [weak(LOCAL_DATA, str(error))]
    return [weak(LOCAL_DATA, f"{missing:,} objects are not at DVC's remote; `dvc push`")] if missing else []


def of_code(state: State) -> list[dict[str, str]]:
    """Whether the code that ran is the code of the commit, and the raw data those of its pointer."""
    if state.commit is None:
        return []
    ran = {
        dep["path"]: dep["md5"]
        for stage in state.stages.values()
        for dep in stage.get("deps", [])
        if dep["path"].startswith("src/")
    }
    there = _hashes(state.commit, list(ran))
    other = sorted(path for path, digest in ran.items() if there.get(path) != digest)
    raw = state.option("validate", "raw")
    outs = state.yaml(f"{raw}.dvc").get("outs", [{}])
    found = []
    if other:
        found.append(weak(OTHER_CODE, f"what ran is not what {state.commit[:9]} holds: {', '.join(other)}"))
    if raw and outs[0].get("md5") != state.hash_of(raw):
        found.append(weak(OTHER_DATA, f"{raw}.dvc names {outs[0].get('md5')}, the run read {state.hash_of(raw)}"))
    return found


def _hashes(commit: str, paths: list[str]) -> dict[str, str]:
    """DVC's hash of each file or folder as a commit holds it."""
    inside = git.said("ls-tree", "-r", "--name-only", commit, "--", *paths).splitlines()
    texts = {path: _md5(git.content(commit, path)) for path in inside}
    folders = {path: [one for one in inside if one.startswith(path + "/")] for path in paths if path not in texts}
    return texts | {
        path: _folder({one.removeprefix(path + "/"): texts[one] for one in files}) for path, files in folders.items()
    }


def _md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def _folder(files: dict[str, str]) -> str:
    """As `digests.of_bundle`, of hashes that are known."""
    entries = [{"md5": files[path], "relpath": path} for path in sorted(files)]
    return _md5(json.dumps(entries, sort_keys=True).encode()) + ".dir"
