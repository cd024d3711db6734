"""Turns the candidates' scores on the valid rows into the bundle to be judged and served."""

import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from gazette.core import files
from gazette.core.candidates import listed


class Params(BaseModel, frozen=True, extra="forbid"):
    """`tie`: scores this close to the best, in standard errors of its macro-F1, count as equal."""

    tie: float = Field(ge=0)


def run(
    params: Params,
    *,
    candidates: list[str],
    further: dict[str, dict[str, str]],
    bundles: Path,
    scores: Path,
    curves: Path,
    bundle: Path,
    selection: Path,
) -> None:
    """Takes the best macro-F1; among equals the fewest bytes, then the first in `candidates`."""
    found = {name: files.read(scores / f"{name}.json") for name in listed(candidates, further)}
    chosen = choose(found, params.tie)
    partial = bundle.with_name(bundle.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(bundles / chosen, partial)
    shutil.rmtree(bundle, ignore_errors=True)
    partial.rename(bundle)
    files.write({"selected": chosen}, selection)
    for name, score in found.items():
        figures = f"macro-F1 {score['macro_f1']:.4f} ± {score['standard_error']:.4f} {score['bytes']:>12,} bytes"
        print(f"{name:12} {figures}{'  selected' if name == chosen else ''}")


def choose(scores: dict[str, dict[str, Any]], tie: float) -> str:
    """The name of the candidate to ship; `scores` in the order of preference."""
    best = max(scores.values(), key=lambda score: score["macro_f1"])
    enough = best["macro_f1"] - tie * best["standard_error"]
    equals = [name for name, score in scores.items() if score["macro_f1"] >= enough]
    return min(equals, key=lambda name: scores[name]["bytes"])


def clear(
    *, candidates: list[str], further: dict[str, dict[str, str]], bundles: Path, scores: Path, curves: Path
) -> None:
    """Before the stage begins, removes candidates that params.yaml no longer lists; they stay in DVC's cache.

    DVC would take them for inputs, and a lock made here would differ from one made in a fresh clone.
    """
    names = listed(candidates, further)
    for folder in bundles.glob("*"):
        if folder.name not in names:
            shutil.rmtree(folder)
    for file in (file for folder in (scores, curves) for file in folder.glob("*")):
        if file.stem not in names:
            file.unlink()
