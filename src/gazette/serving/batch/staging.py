"""Preparation of a scoring: articles in parts of equal size, unusable rows in a quarantine, and a plan."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError, DataContractError
from pydantic import BaseModel, Field

from gazette import __version__
from gazette.core import articles, files, tables
from gazette.core.corpus import Folder
from gazette.core.escape import tally
from gazette.data.coding import Hints
from gazette.data.readers.rows import ReadResult
from gazette.registry.versions import ResolvedModel
from gazette.serving.batch import results
from gazette.serving.batch.parts import BLOCK, BUNDLE, MANIFEST, PLAN, QUARANTINE, STAGED, missing_parts, whole_blocks
from gazette.serving.sources import Reading, Source, find_sources, read_source

MISMATCHES = {
    "input": "other articles",
    "model": "another model",
    "options": "other options",
    "gazette": "another version of Gazette",
}
REJECT = {"file": pl.String, "line": pl.Int64, "reason": pl.String, "seen": pl.String}
REPEATED = "rows whose identifier an earlier row has"
NO_LABEL = "none"  # the label of every article, since the contract of rows requires one


class Options(BaseModel, frozen=True, extra="forbid"):
    """How to read new articles, and what to write about them."""

    text: tuple[str, ...] = ()
    id: str | None = None
    encoding: str | None = None  # None: found out
    delimiter: str | None = None
    header: bool | None = None
    part_rows: int = Field(65_536, ge=1)  # rounded up to whole blocks
    uncertain: float = Field(0.5, gt=0, le=1)
    with_text: bool = False

    def hints(self, language: str | None) -> Hints:
        """Return what these options say of the files."""
        return Hints(language, self.encoding, self.delimiter, self.header, ask=False)

    def record(self) -> dict[str, Any]:
        """Return the options for the plan; what is found out is not in it."""
        unset = {name for name in ("encoding", "delimiter", "header") if getattr(self, name) is None}
        return self.model_dump(mode="json", exclude=unset)


def check_apart(path: Path, to: Path, model: ResolvedModel) -> None:
    """Raise ConfigError if results would lie among the articles, or articles or the model among results."""
    if path.is_dir() and to.resolve().is_relative_to(path.resolve()):
        raise ConfigError(f"{to} is inside {path}: results would be read as articles; choose a folder elsewhere")
    for read in (path, model.folder):
        if read.resolve().is_relative_to(to.resolve()):
            raise ConfigError(f"{read} is inside {to}, where results are replaced; choose a folder elsewhere")


def prepare_plan(path: Path, to: Path, model: ResolvedModel, options: Options, force: bool = False) -> dict[str, Any]:
    """Return the plan in the folder `to` if it is for the same request and still usable, otherwise a new one.

    Raises DataContractError if nothing at `path` can be scored, ConfigError if the results in the folder are others.
    """
    sources = find_sources(path, Reading(options.text, options.id, options.hints(model.language)))
    request = _request(sources, model, options)
    if (to / PLAN).exists() and not force:
        plan = results.read_record(to / PLAN)
        if mismatches := [text for key, text in MISMATCHES.items() if request[key] != plan[key]]:
            raise ConfigError(f"{to} has results for {', '.join(mismatches)}; choose another folder, or --force")
        results.check_unchanged(to)
        is_whole = (to / MANIFEST).exists() and (to / QUARANTINE).exists() and not missing_parts(to, plan)
        if is_whole or (to / STAGED).exists():
            return plan
    return _stage(path, to, model, options, sources, request)


def _stage(
    path: Path, to: Path, model: ResolvedModel, options: Options, sources: list[Source], request: dict[str, Any]
) -> dict[str, Any]:
    results.remove(to)
    staged = to / STAGED
    shutil.copytree(model.folder, staged / BUNDLE)  # it may be trained again meanwhile
    if hashing.dvc_hash(staged / BUNDLE) != model.digest:
        raise ConfigError(f"{model.folder} changed while it was copied; try again when nothing writes to it")
    stager = Stager(staged, options.part_rows)
    for source in sources:
        stager.read(source)
    stager.end()
    rejects = pl.concat(stager.quarantine)
    tables.write_parquet(to / QUARANTINE, rejects)
    if not stager.rows:
        results.remove_staged(to)
        first = [f"  {row['file']}, line {row['line']}: {row['reason']}" for row in rejects.head(3).to_dicts()]
        raise DataContractError(
            f"{path}: none of {tally(rejects.height, 'row')} can be scored. The first:\n" + "\n".join(first) + "\n"
            f"{to / QUARANTINE} lists them all. Are format and columns right?"
        )
    if _request(sources, model, options) != request:
        raise DataContractError(f"{path} changed while it was read; try again when nothing writes to it")
    if options.id is not None and (repeated := _count_repeated(staged, stager.parts)):
        stager.notes[REPEATED] = repeated
    results.claim_parts(to, stager.parts)
    reasons = articles.count_reasons(rejects).select("reason", "rows").to_dicts()
    plan = request | {
        "version": _version(model),
        "rows": stager.rows,
        "quarantined": reasons,
        "notes": dict(sorted(stager.notes.items())),
        "parts": stager.parts,
    }
    files.write_json(to / PLAN, plan)
    return plan


def _count_repeated(staged: Path, count: int) -> int:
    """Count the staged articles whose identifier an earlier one has; identifiers are compared by their hashes."""
    parts = [staged / f"{number:05}.parquet" for number in range(count)]
    hashes = pl.concat([tables.read_parquet(part, columns=["id"])["id"].hash() for part in parts])
    return hashes.len() - hashes.n_unique()


def _request(sources: list[Source], model: ResolvedModel, options: Options) -> dict[str, Any]:
    """Return what results depend on; equal input, model, options and gazette give equal bytes."""
    hashes = [
        {
            "file": source.name,
            "sha256": (hashing.sha256_tree if isinstance(source.layout, Folder) else hashing.hash_file)(source.path),
        }
        for source in sources
    ]
    return {
        "input": hashes,
        "model": {"digest": model.digest},
        "options": options.record(),
        "gazette": __version__,
    }


def _version(model: ResolvedModel) -> dict[str, Any]:
    return {"name": model.name, "version": model.version, "trained_on": model.trained_on}


class Stager:
    """Writes usable articles in parts while sources are read, and collects what is not usable."""

    def __init__(self, folder: Path, part_rows: int) -> None:
        self.folder, self.part_rows = folder, whole_blocks(part_rows)
        self.parts = self.rows = 0
        self.quarantine, self.notes = [pl.DataFrame(schema=REJECT)], Counter[str]()
        self._rest = pl.DataFrame()

    def read(self, source: Source) -> None:
        """Stage the articles of a source that meet the contract of rows; the others go to `quarantine`."""
        unusable = [pl.DataFrame(schema=REJECT)]

        def take(part: ReadResult) -> None:
            table = part.articles
            rows = table.select("text", pl.lit(NO_LABEL).alias("label"), pl.lit("test").alias("split"), "file", "line")
            _, bad = articles.split_invalid(rows, [NO_LABEL])
            bad = bad.select("file", "line", "reason", pl.col("seen").str.strip_prefix(f"{NO_LABEL}: "))
            unusable.extend([part.rejects, bad])
            usable = table.join(bad, on=["file", "line"], how="anti", maintain_order="left") if bad.height else table
            self.add(
                usable.select(
                    "file", "line", *([pl.col("label").alias("id")] if source.identifier is not None else []), "text"
                )
            )

        self.notes.update(read_source(source, take).notes)
        self.quarantine.append(pl.concat(unusable).sort("file", "line", maintain_order=True))

    def add(self, table: pl.DataFrame) -> None:
        """Stage the next articles; a part is written once it is full."""
        self._rest = pl.concat([self._rest, table]) if self._rest.height else table
        while self._rest.height > self.part_rows:
            self._write(self._rest.head(self.part_rows))
            self._rest = self._rest.slice(self.part_rows)

    def end(self) -> None:
        """Write what is left as the last part."""
        if self._rest.height:
            self._write(self._rest)

    def _write(self, part: pl.DataFrame) -> None:
        with (self.folder / f"{self.parts:05}.parquet").open("wb") as file:
            part.write_parquet(file, compression="lz4", row_group_size=BLOCK)
        self.parts, self.rows = self.parts + 1, self.rows + part.height
