"""What a git process is given: which variables of the caller pass, and settings that no user's configuration changes.

In a hook, git exports the repository that it works on (GIT_DIR, GIT_INDEX_FILE, …), and any git that is started there
works on that one, wherever it is started. So nothing of the caller's passes but what is listed here.
"""

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase

# The variables that pass, each with the reason; `*` stands for any ending.
PASSED = {
    "GIT_AUTHOR_*": "who writes the commits of scheduled runs",
    "GIT_COMMITTER_*": "who commits them",
    "GIT_CONFIG_GLOBAL": "where the user's configuration is: safe.directory, credentials",
    "GIT_CONFIG_SYSTEM": "where the machine's configuration is",
    "GIT_CONFIG_NOSYSTEM": "whether the machine's configuration is read",
    "GIT_CONFIG_COUNT": "configuration without a file, as in containers and in CI",
    "GIT_CONFIG_KEY_*": "a key of it",
    "GIT_CONFIG_VALUE_*": "a value of it",
    "GIT_SSH*": "how a remote is reached: GIT_SSH, GIT_SSH_COMMAND, GIT_SSH_VARIANT",
    "GIT_ASKPASS": "the program that knows a password",
    "GIT_SSL_*": "certificates of a remote",
    "GIT_HTTP_*": "how a remote is reached by HTTP",
    "GIT_PROXY_*": "how a proxy is reached",
    "GIT_ALLOW_PROTOCOL": "protocols that the user allows",
    "GIT_LFS_*": "settings of Git LFS",
    "GIT_CEILING_DIRECTORIES": "above which folders git looks for no repository",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM": "whether a repository may be on another file system than the project",
    "GIT_EXEC_PATH": "where a git that is not installed as usual has its programs",
    "GIT_TEST_ASSUME_DIFFERENT_OWNER": "git's own switch to test that it refuses another user's repository",
    "GIT_PYTHON_*": "settings of GitPython, not of git",
}

# Messages in English, by which their cause is recognized; no prompt, no editor, no lock that the user's git waits for.
SET = {
    "LC_ALL": "C", "LANGUAGE": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "GIT_OPTIONAL_LOCKS": "0",
}  # fmt: skip

NO_HOOKS = ("core.hooksPath", os.devnull)

# Each undoes something in a user's configuration that changes what git prints, does besides, or waits for.
CONFIG = dict(
    [NO_HOOKS],
    **{
        "core.fsmonitor": "false",  # may be a program
        "core.quotePath": "false",
        "core.safecrlf": "false",  # a commit of results fails on line ends
        "core.excludesFile": os.devnull,  # what is ignored is the project's to say; a user's `*.lock` hides dvc.lock
        "http.lowSpeedLimit": "1",  # a server that accepts and says nothing is waited for forever
        "http.lowSpeedTime": "20",
        "maintenance.auto": "false",
        "gc.auto": "0",
        **dict.fromkeys(("color.ui", "color.branch", "color.diff", "color.status"), "false"),
        "diff.autoRefreshIndex": "true",
        "diff.relative": "false",
        "diff.orderFile": os.devnull,
        "log.showSignature": "false",  # prints lines of GnuPG's among those that are requested
        "log.follow": "false",
        "log.showRoot": "true",
        "i18n.logOutputEncoding": "UTF-8",
        "i18n.commitEncoding": "UTF-8",
        "submodule.recurse": "false",
        "fetch.recurseSubmodules": "false",
        "fetch.prune": "false",
        "push.recurseSubmodules": "no",
        "push.followTags": "false",  # pushes tags that nobody asked for
        "worktree.useRelativePaths": "false",  # DVC's libraries cannot read such a worktree
        "clone.rejectShallow": "false",
    },
)


def passes(name: str) -> bool:
    """Whether a variable passes to our children, as far as git is concerned."""
    return not name.startswith("GIT_") or any(fnmatchcase(name, pattern) for pattern in PASSED)


def forget_caller() -> None:
    """Remove those variables from this process, in which DVC and MLflow read them too."""
    for name in [name for name in os.environ if not passes(name)]:
        del os.environ[name]


def without_hooks(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that turn hooks off for every git below, for programs in a tree that we made."""
    count = int(environment.get("GIT_CONFIG_COUNT") or 0)
    key, value = NO_HOOKS
    return {"GIT_CONFIG_COUNT": str(count + 1), f"GIT_CONFIG_KEY_{count}": key, f"GIT_CONFIG_VALUE_{count}": value}
