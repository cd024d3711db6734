"""The ledger of all clones that share a registry: the branch `gazette/ledger` of their git remote.

An entry is pushed there before an alias moves. MLflow has no compare-and-set, but git's server has: of two pushes on
top of the same commit it takes the first alone. The branch holds the ledger and nothing else, so that a promotion needs
no right to other branches, and moves none.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from prefect_dvc import git, git_errors
from prefect_dvc.core.errors import CommandError, ConfigError, DataContractError
from prefect_dvc.git_errors import GitError
from prefect_dvc.publishing import worktree

from gazette.registry import ledger
from gazette.registry.ledger import Entry
from gazette.registry.store import address

HERE = Path()


class LostError(CommandError):
    """Another clone decided first; nothing has changed but the ledger here, which has that clone's entries now."""

    code = 1


@dataclass(frozen=True)
class SharedLedger:
    """The branch at the remote, its head (empty: there is no branch yet), and the ledger's lines there."""

    remote: str
    branch: str
    head: str
    lines: list[str]

    @property
    def entries(self) -> list[Entry]:
        """The entries; raises DataContractError if they were altered."""
        where = f"{ledger.PATH} on the branch {self.branch} of {self.remote}"
        cure = f"`git log -p {self.remote}/{self.branch}` shows by whom; push the commit before to the branch"
        return ledger.parse_entries(self.lines, where, cure)

    def describe_difference(self, here: Sequence[str]) -> str:
        """Return where lines differ from the first ones of the shared ledger, and what to do; empty if nowhere."""
        for number, (line, shared) in enumerate(zip(here, self.lines, strict=False), 1):
            if line != shared:
                return (
                    f"{ledger.PATH}, line {number}: differs from that of the branch {self.branch} of {self.remote}, "
                    f"which all clones follow; `git show {self.remote}/{self.branch}:{ledger.PATH}` prints it. Keep "
                    "that, then decide again what only this ledger has"
                )
        return ""

    def read_again(self) -> "SharedLedger":
        """Return it as it is now."""
        try:
            head = worktree.fetch_head(HERE, f"refs/remotes/{self.remote}/{self.branch}", self.remote, self.branch)
        except GitError as error:
            if error.cause != git_errors.NO_BRANCH:
                raise
            return SharedLedger(self.remote, self.branch, "", [])
        return SharedLedger(
            self.remote, self.branch, head, git.run("cat-file", "blob", f"{head}:{ledger.PATH}").split("\n")
        )


def read() -> SharedLedger | None:
    """Return the shared ledger; None if the registry belongs to this project alone, or git has no remote.

    Raises ConfigError if the remote does not answer.
    """
    remote = worktree.default_remote(HERE)
    if remote == worktree.LOCAL or not address.is_shared():
        return None
    worktree.check_answers(HERE, remote)
    branch = quote((Path("gazette") / git.prefix() / ledger.PATH.stem).as_posix())
    return SharedLedger(remote, branch, "", []).read_again()


def catch_up(shared: SharedLedger, pending: str) -> list[Entry]:
    """Add the entries of other clones to the ledger here, and return it with them.

    Raises LostError if there were some, but for an entry of this clone with the SHA-256 `pending`, which ended before
    it was written here. Raises DataContractError if the ledgers differ.
    """
    here, entries = ledger.read_lines(), shared.entries
    if difference := shared.describe_difference(here):
        raise DataContractError(difference)
    new = entries[len(here) :]
    if new:
        ledger.write_lines(shared.lines)
    if new and [entry.digest() for entry in new] != [pending]:
        raise LostError(_describe(new))
    return entries if new else ledger.read_ledger()


def verify(lines: Sequence[str]) -> tuple[list[str], int]:
    """Return how the lines of the ledger here contradict the shared one, and how many entries that has beyond them.

    Raises ConfigError if the remote does not answer, DataContractError if the shared entries were altered.
    """
    shared = read()
    if shared is None or not shared.head:
        return [], 0
    more = len(shared.entries) - len(lines)
    faults = []
    if difference := shared.describe_difference(lines):
        faults.append(difference)
    if more < 0:
        faults.append(
            f"{ledger.PATH}, line {len(shared.lines) + 1}: not on the branch {shared.branch} of {shared.remote}, to "
            "which an entry goes before an alias moves; if it is yours, the next promotion pushes it"
        )
    return faults, max(more, 0)


def push(shared: SharedLedger, entry: Entry) -> None:
    """Append an entry to the shared ledger, on top of the head that was read.

    Raises LostError if another clone was first, ConfigError if the remote refuses it.
    """
    lines = [*ledger.read_lines(), entry.line()]
    blob = git.run("hash-object", "-w", "--stdin", stdin="".join(f"{line}\n" for line in lines))
    tree = git.run("mktree", stdin=f"100644 blob {blob}\t{ledger.PATH}\n")
    parent = ("-p", shared.head) if shared.head else ()
    # A commit of its own, even if two clones decide the same at the same second.
    message = f"{entry.kind}: {entry.name} {entry.to.version}\n\nDecision: {uuid.uuid4()}"
    commit = git.run("commit-tree", tree, *parent, "-m", message)
    words = ("--quiet", shared.remote, f"{commit}:refs/heads/{shared.branch}")
    if not (error := git.run_or_error("push", *words)):
        return
    now = shared.read_again()
    if now.head and not git.run_or_error("merge-base", "--is-ancestor", commit, now.head):
        return  # it was taken, and the answer was lost
    if now.head != shared.head:
        catch_up(now, "")
    raise ConfigError(
        f"nothing is promoted: {shared.remote} refuses the ledger's entry on its branch {shared.branch}, on which "
        f"clones with a registry in common agree:\n{error}\nWhoever promotes needs the right to push that branch"
    )


def _describe(entries: Sequence[Entry]) -> str:
    lines = [
        f"  {entry.number}: {entry.kind} of {entry.name} to version {entry.to.version}, {entry.when}, by {entry.who}"
        for entry in entries
    ]
    return "\n".join(
        [
            "another clone decided first, so nothing is promoted or rolled back here:",
            *lines,
            f"{ledger.PATH} has these entries now; the same command decides anew, against the champion they name",
        ]
    )
