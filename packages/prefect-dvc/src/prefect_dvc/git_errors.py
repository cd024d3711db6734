"""Why git failed, and what to do about it: git's own words, recognized by cause."""

import re
from dataclasses import dataclass

from prefect_dvc.core.errors import ConfigError

OLDEST = "2.31"  # of git; it reads configuration from the environment since then


@dataclass(frozen=True)
class Cause:
    """A cause of failure: its words in git's message, and the cure, empty if git's message has it."""

    words: str
    cure: str = ""


OTHER_OWNER = Cause(r"dubious ownership|unsafe repository")
MOVED = Cause(
    r"not a git repository: .",
    "the repository that this worktree or submodule belongs to is no longer there; `git worktree repair`, run in it, "
    "finds the worktree again",
)
NO_REPOSITORY = Cause(
    "not a git repository", "a repository is needed: `git init && git add -A && git commit -m start` makes one"
)
NO_COMMIT = Cause(
    r"(?:bad revision|ambiguous argument|invalid object name) 'HEAD'|(?:valid object name|reference:) HEAD\s*$"
    "|the initial commit yet",
    "the repository has no commit yet: `git add -A && git commit -m start` makes the first",
)
BARE = Cause(
    r"must be run in a work tree|outside working tree|outside of a work tree",
    "the repository is bare, or this is its .git folder: run this in a clone of it",
)
TOO_OLD = Cause(
    r"unknown (?:option|switch)|is not a git command|unrecognized argument", f"git {OLDEST} or later is needed"
)
NO_PROMPT = Cause(
    "terminal prompts disabled|could not read (?:Username|Password)",
    "let the password come from a credential helper, GIT_ASKPASS or an SSH key: nobody can be asked here",
)
NO_BRANCH = Cause("couldn't find remote ref", "name a branch that the remote has, or push it there first")
DAMAGED = Cause(
    r"object file .* is empty|is corrupt|unable to read (?:tree|sha1|[0-9a-f]{40})|bad object|missing blob|bad file",
    "the repository lacks objects: `git fsck` names them; a partial clone needs its remote",
)
NO_PATH = Cause(r"does not exist in|exists on disk, but not in|(?:invalid|valid) object name")
NOT_STARTED = Cause("(?!)", f"install git {OLDEST} or later, and put it on PATH")

CAUSES = (
    OTHER_OWNER, MOVED, NO_REPOSITORY, NO_COMMIT, BARE, TOO_OLD, NO_PROMPT, NO_BRANCH, DAMAGED, NO_PATH,
)  # fmt: skip
NOTHING_THERE = (NO_REPOSITORY, NO_COMMIT, NO_PATH, NOT_STARTED)  # there is nothing to read, and nothing is broken


class GitError(ConfigError):
    """A git command failed; `cause` is None if it is not a known one."""

    def __init__(self, message: str, cause: Cause | None = None) -> None:
        super().__init__(message)
        self.cause = cause


def find_cause(message: str) -> Cause | None:
    """Return the cause that git's message tells."""
    return next((cause for cause in CAUSES if re.search(cause.words, message, re.IGNORECASE)), None)


def explain(message: str) -> str:
    """Return git's message, without its help, and the cure."""
    own = re.split(r"^usage: ", message.strip(), maxsplit=1, flags=re.MULTILINE)[0].strip()
    cause = find_cause(message)
    return f"{own}\n{cause.cure}" if cause and cause.cure else own
