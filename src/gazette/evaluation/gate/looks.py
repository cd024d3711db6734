"""How many bundles were judged on the same test rows, and the level that is left for the next.

Every bundle that is judged on one test set is another chance to be lucky on it. Bundles are counted in git: a look is a
bundle that a committed `dvc.lock`, of any branch, has evaluated on these test rows.
"""

from math import e, log

from prefect_dvc import git

from gazette.pipeline import dvclock

ALL = ("--topo-order", "--branches", "--remotes", "--tags", "HEAD")  # without the commits of experiments


def list_looks(test: str, digest: str, rows: str) -> list[str]:
    """Return the digests of the bundles that were judged on the test rows at path `test`, the earliest first.

    `digest` is the bundle that is judged now, the last if no commit has it; `rows` is the hash of the test rows. In a
    shallow clone, the commits that are missing are not counted.
    """
    looks: dict[str, None] = {}
    for commit in git.list_commits("dvc.lock", *ALL):
        if rows not in (git.show(commit, "dvc.lock") or ""):  # parsing a lock takes longer
            continue
        lock = dvclock.load_or_none(commit)
        if lock and lock.bundle and lock.hash_of(test) == rows:
            looks[lock.bundle] = None
    return list(looks | {digest: None})


def level_of(look: int, planned: int, alpha: float) -> float:
    """Return the level of one of the `planned` looks, from 1; together they spend alpha, and later ones nothing.

    The spending function of Pocock's type is alpha·ln(1 + (e − 1)·t) after the share t of the looks (K. Lan and
    D. DeMets, "Discrete Sequential Boundaries for Clinical Trials", Biometrika 1983). Looks are at different
    bundles and not at one that gathers rows, so each gets its increment of the level by itself (Bonferroni), which
    holds however they depend on each other. O'Brien and Fleming's type would leave the first bundles next to nothing.
    """
    ends = [alpha * log(1 + (e - 1) * min(number / planned, 1)) for number in (look - 1, look)]
    return ends[1] - ends[0]
