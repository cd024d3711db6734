"""Whether git's history has an article; it cannot be removed there without rewriting commits, which people do."""

import re

from prefect_dvc import git

from gazette.lineage.erasure.article import Article
from gazette.lineage.erasure.places import STAYS, Place

MIN_PHRASE, MAX_PHRASE = 12, 100  # characters without quotes or escapes, which files write differently
MAX_COMMITS = 5
CURE = "`git filter-repo` rewrites commits, then every clone has to be made anew"


def search(article: Article) -> list[Place]:
    """Return the files of commits, of any branch, tag, stash or experiment, in which the article came or went."""
    phrase = max(re.findall(r"\w[\w ,.-]+", article.text), key=len, default="")[:MAX_PHRASE]
    if len(phrase) < MIN_PHRASE:
        return []
    merges = "--diff-merges=combined"  # what a merge added by itself
    words = ("--all", merges, "--format=%x01%h", "--name-only", "-z", "--regexp-ignore-case", f"-S{phrase}")
    log = git.run("log", *words).split("\1")[1:]
    commits = [re.split(r"[\0\n]+", entry.strip("\0\n")) for entry in log]
    places = [Place("history", f"{commit}:{name}", STAYS, CURE) for commit, *names in commits for name in names]
    return places[:MAX_COMMITS]
