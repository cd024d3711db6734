"""What is to be scored, laid out: articles in parts of equal size, rows that are none in a quarantine, and a plan."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, Field

from gazette import __version__
from gazette.core import articles
from gazette.core import files as records
from gazette.core.corpus import Folder
from gazette.core.errors import BrokenContract, Misconfigured
from gazette.pipeline import hashing
from gazette.registry.versions import Model
from gazette.serving import sources as incoming
from gazette.serving.batch.parts import BLOCK, BUNDLE, MANIFEST, PLAN, QUARANTINE, RUN, STAGED, missing

LOCK = ".lock"
OURS = re.compile(
    "|".join(map(re.escape, (LOCK, MANIFEST, PLAN, QUARANTINE, RUN, STAGED))) + r"|\.?part-\d+\.parquet.*|.*\.partial"
)
OTHER = {
    "input": "other articles",
    "model": "another model",
    "options": "other options",
    "gazette": "another version of Gazette",
}
REJECT = {"file": pl.String, "line": pl.Int64, "reason": pl.String, "seen": pl.String}
STEP = 1 << 16  # rows that are checked at a time, so that only one copy of all texts is held
NONE = "none"  # the label of every article, where the contract of rows asks for one


class Options(BaseModel, frozen=True, extra="forbid"):
    """How new articles are read, and what is said of them."""

    text: tuple[str, ...] = ()
    id: str | None = None
    part_rows: int = Field(65_536, ge=1)  # rounded up to whole blocks
    uncertain: float = Field(0.5, gt=0, le=1)
    with_text: bool = False


def prepare(path: Path, to: Path, model: Model, options: Options, force: bool = False) -> dict[str, Any]:
    """The plan in the folder `to`: the one that is there, if it is for the same and of use, or a new one.

    Raises Misconfigured where the folder holds something else, BrokenContract where nothing at `path` can be scored.
    """
    if strange := sorted(entry.name for entry in to.iterdir() if not OURS.fullmatch(entry.name)):
        raise Misconfigured(f"{to} holds {strange[0]}, which is no result of scoring; give a folder of its own")
    if path.is_dir() and to.resolve().is_relative_to(path.resolve()):
        raise Misconfigured(f"{to} lies in {path}: results would be read as articles; give a folder elsewhere")
    sources = incoming.find(path, options.text, options.id)
    asked = _asked(sources, model, options)
    if (to / PLAN).exists() and not force:
        plan = records.read(to / PLAN)
        if other := [said for key, said in OTHER.items() if asked[key] != plan[key]]:
            raise Misconfigured(f"{to} holds results for {', '.join(other)}; give another folder, or --force")
        if (to / STAGED).exists() or ((to / MANIFEST).exists() and not missing(to, plan)):
            return plan
    return _lay_out(path, to, model, options, sources, asked)


def _lay_out(
    path: Path, to: Path, model: Model, options: Options, sources: list[incoming.Source], asked: dict[str, Any]
) -> dict[str, Any]:
    remove(to)
    staged = to / STAGED
    shutil.copytree(model.folder, staged / BUNDLE)  # a bundle that is trained anew meanwhile is another
    if hashing.of_bundle(staged / BUNDLE) != model.digest:
        raise Misconfigured(f"{model.folder} changed while it was copied; try again when nothing writes to it")
    count, rows = 0, 0
    quarantine, notes = [pl.DataFrame(schema=REJECT)], Counter[str]()
    for number, part in enumerate(_in_parts(_fit(sources, quarantine, notes), _whole_blocks(options.part_rows))):
        part.write_parquet(staged / f"{number:05}.parquet", compression="lz4", row_group_size=BLOCK)
        count, rows = number + 1, rows + part.height
    rejects = pl.concat(quarantine)
    articles.write_table(rejects, to / QUARANTINE)
    if not rows:
        clear(to)
        first = [f"  {row['file']}, line {row['line']}: {row['reason']}" for row in rejects.head(3).to_dicts()]
        raise BrokenContract(
            f"{path}: none of {rejects.height:,} rows can be scored. The first:\n" + "\n".join(first) + "\n"
            f"{to / QUARANTINE} names each. Is it what it is said to be?"
        )
    if _asked(sources, model, options) != asked:
        raise BrokenContract(f"{path} changed while it was read; try again when nothing writes to it")
    reasons = articles.kinds(rejects).select("reason", "rows").to_dicts()
    plan = asked | {
        "version": _version(model),
        "rows": rows,
        "quarantined": reasons,
        "notes": dict(sorted(notes.items())),
        "parts": count,
    }
    records.write(plan, to / PLAN)
    return plan


def _asked(sources: list[incoming.Source], model: Model, options: Options) -> dict[str, Any]:
    """What results depend on; equal input, model, options and gazette give equal bytes."""
    files = [
        {
            "file": source.name,
            "sha256": (hashing.of_articles if isinstance(source.layout, Folder) else hashing.of_file)(source.path),
        }
        for source in sources
    ]
    return {
        "input": files,
        "model": {"digest": model.digest},
        "options": options.model_dump(mode="json"),
        "gazette": __version__,
    }


def _version(model: Model) -> dict[str, Any]:
    return {"name": model.name, "version": model.version, "trained_on": model.trained_on}


def _fit(sources: list[incoming.Source], quarantine: list[pl.DataFrame], notes: Counter[str]) -> Iterator[pl.DataFrame]:
    """The articles of each source that keep the contract of rows; the others, and what was let pass, are added."""
    for source in sources:
        found = incoming.read(source)
        notes.update(found.notes)
        unfit = [found.rejects]
        for some in found.articles.iter_slices(STEP):
            rows = some.select("text", pl.lit(NONE).alias("label"), pl.lit("test").alias("split"), "file", "line")
            _, bad = articles.sort_out(rows, [NONE])
            unfit.append(bad.select("file", "line", "reason", pl.col("seen").str.strip_prefix(f"{NONE}: ")))
            fit = some.join(bad, on=["file", "line"], how="anti", maintain_order="left") if bad.height else some
            yield fit.select("file", "line", *([pl.col("label").alias("id")] if source.has_id else []), "text")
        quarantine.append(pl.concat(unfit).sort("file", "line", maintain_order=True))


def _in_parts(tables: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    rest = pl.DataFrame()
    for table in tables:
        rest = pl.concat([rest, table]) if rest.height else table
        while rest.height > rows:
            yield rest.head(rows)
            rest = rest.slice(rows)
    if rest.height:
        yield rest


def _whole_blocks(rows: int) -> int:
    return -(-rows // BLOCK) * BLOCK


def clear(to: Path) -> None:
    """Removes what is of no use once the manifest is there."""
    shutil.rmtree(to / STAGED, ignore_errors=True)
    for path in to.glob(".part-*.partial"):
        path.unlink()


def remove(to: Path) -> None:
    """Removes all that scoring left in a folder, and nothing else; the manifest first, the lock never."""
    for name in (MANIFEST, PLAN, *sorted(entry.name for entry in to.iterdir())):
        path = to / name
        if name == STAGED:
            shutil.rmtree(path, ignore_errors=True)
        elif OURS.fullmatch(name) and name != LOCK:
            path.unlink(missing_ok=True)
