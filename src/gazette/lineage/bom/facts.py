"""What a bill of materials states, gathered once for both formats; whatever was not recorded is left out.

Every hash is one that can be computed again from a file: of the bundle, of data, of locks, of statements.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prefect_dvc import git, hashing, revisions

from gazette.lineage import card
from gazette.lineage.bom.packages import Package, list_packages
from gazette.lineage.proof import provenance
from gazette.lineage.trace import ModelLineage
from gazette.pipeline import dvclock
from gazette.pipeline.dvclock import DvcLock
from gazette.registry import statements

SPLITS = ("train", "valid", "test")
LOCKS = ("dvc.lock", "params.yaml", "requirements.lock")
EVALUATED = "It was evaluated only on articles like those it was trained on."


@dataclass(frozen=True)
class File:
    """A file with its hashes by algorithm, as CycloneDX names it; `rows` if it is a table, `role` if it is a split."""

    path: str
    hashes: dict[str, str]
    role: str = ""
    rows: int | None = None


@dataclass(frozen=True)
class Reference:
    """A statement about the model, or its signature: where it is, and its SHA-256."""

    kind: str  # the tag of a version
    url: str
    sha256: str


@dataclass(frozen=True)
class Metric:
    """A figure on the test articles, as recorded; of a slice (`class: sport`), or of all if that is empty."""

    name: str
    value: str
    slice: str = ""
    low: str = ""
    high: str = ""


@dataclass(frozen=True)
class Facts:
    """A model's facts; `card` has those of the card, `when` is the time of its commit in UTC, empty without one."""

    name: str
    version: str
    model: ModelLineage
    card: dict[str, Any]
    when: str
    bundle: list[File]
    data: list[File]
    locks: list[File]
    references: list[Reference]
    metrics: list[Metric]
    packages: list[Package]

    @property
    def use(self) -> str:
        """What the model is for, in a sentence."""
        labels = ", ".join(self.card["description"].get("labels", [])) or "labels that were not recorded"
        return f"It classifies news (language: {self.card['language']}) into {labels}."

    @property
    def limits(self) -> list[str]:
        """What it is not for, and the weak links of its lineage."""
        return [EVALUATED, *(f"Weak link, {link['link']}: {link['why']}" for link in self.model.weak)]

    @property
    def family(self) -> str:
        """The family of networks or of linear models; empty if it was not recorded."""
        return str(self.card["params"].get(f"models.{self.card['selected']}.family", ""))


def gather_facts(model: ModelLineage) -> Facts:
    """Gather the facts of a model from git, DVC's cache, the registry and the statements here."""
    lock = dvclock.load(model.revisions[0]) if model.revisions else DvcLock(None, {})
    version = model.versions[0] if model.versions else None
    content = card.gather_card(model, lock)
    stage = card.candidate_stages(model).get(str(content["selected"]))
    when = datetime.fromisoformat(model.commit["when"]).astimezone(UTC) if model.commit else None
    return Facts(
        name=model.corpus or "model",
        version=version["number"] if version else model.digest,
        model=model,
        card=content,
        when=when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else "",
        bundle=[File(path, _hashes(md5)) for path, md5 in sorted((revisions.list_folder(model.digest) or {}).items())],
        data=list(_list_splits(lock, content["splits"])),
        locks=list(_list_locks(model.revisions)),
        references=[*_attached(model), *_local_statements(model)],
        metrics=list(_list_metrics(lock, content)),
        packages=list_packages(model.stages[stage]["packages"] if stage else {}),
    )


def _hashes(md5: str) -> dict[str, str]:
    """Return the hashes of a file that DVC tracks; its SHA-256 if the file is in the cache."""
    path = revisions.cache_path(md5)
    return {"MD5": md5} | ({"SHA-256": hashing.hash_file(path)} if path else {})


def _list_splits(lock: DvcLock, rows: dict[str, Any]) -> Iterator[File]:
    for split in SPLITS:
        path = lock.option("preprocess", split)
        md5 = lock.hash_of(path)
        if path and md5:
            yield File(path, _hashes(md5), split, rows.get(split))


def _list_locks(commits: list[str]) -> Iterator[File]:
    """Yield the files that fix stages, params and packages, as the model's commit has them."""
    for path in LOCKS if commits else ():
        if content := git.show_bytes(commits[0], path):
            yield File(path, {"SHA-256": hashlib.sha256(content).hexdigest()})


def _attached(model: ModelLineage) -> list[Reference]:
    """Return the statements and signatures of its versions, by their tags."""
    return [
        Reference(kind, f"runs:/{version['run']}/{statements.FOLDER}", version["tags"][kind])
        for version in model.versions
        for kind in (statements.TAG, statements.SIGNATURE)
        if kind in version["tags"]
    ]


def _local_statements(model: ModelLineage) -> list[Reference]:
    """Return the statements here on a revision of the model."""
    paths = sorted(provenance.FOLDER.glob("*.json"))
    return [
        Reference(statements.TAG, path.as_posix(), hashing.hash_file(path))
        for path in paths
        if provenance.stated_revision(path.read_bytes()) in model.revisions
    ]


def _list_metrics(lock: DvcLock, content: dict[str, Any]) -> Iterator[Metric]:
    metrics = content["metrics"]
    for name in ("accuracy", "macro_f1", "ece", "brier"):
        if name in metrics:
            interval = metrics.get("interval", {}).get(name, {})
            yield Metric(name, str(metrics[name]), "", *(str(interval[end]) for end in ("low", "high") if interval))
    for label, row in content["classes"].items():
        for name in ("precision", "recall", "f1"):
            yield Metric(name, str(row[name]), f"class: {label}")
    for row in card.read_slices(lock):
        yield Metric("accuracy", row["accuracy"], f"{row['slice']}: {row['value']}")
