"""Select the best candidate by its score on the validation split."""

import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from gazette.core import bundle_folder, files
from gazette.core.candidates import all_candidates, list_candidates


class Params(BaseModel, frozen=True, extra="forbid"):
    """`tie_standard_errors`: scores this close to the best, in standard errors of its macro-F1, count as equal."""

    tie_standard_errors: float = Field(ge=0)


def run(
    params: Params,
    *,
    candidates: list[str],
    pretrained: dict[str, dict[str, str]],
    teachers: dict[str, str],
    bundles: Path,
    scores: Path,
    curves: Path,
    bundle: Path,
    selection: Path,
) -> None:
    """Copy the bundle with the best macro-F1; among ties the smallest, then the first in `candidates`."""
    names = list_candidates(candidates, pretrained, teachers)
    score_of = {name: files.read_json(scores / f"{name}.json") for name in names}
    selected = choose(score_of, params.tie_standard_errors)
    with bundle_folder.atomic_bundle(bundle) as partial:
        shutil.copytree(bundles / selected, partial, dirs_exist_ok=True)
    files.write_json(selection, {"selected": selected})
    for name, score in score_of.items():
        figures = f"macro-F1 {score['macro_f1']:.4f} ± {score['standard_error']:.4f} {score['bytes']:>12,} bytes"
        print(f"{name:12} {figures}{'  selected' if name == selected else ''}")


def choose(scores: dict[str, dict[str, Any]], tie_standard_errors: float) -> str:
    """Return the name of the candidate to ship; `scores` are in the order of preference."""
    best = max(scores.values(), key=lambda score: score["macro_f1"])
    threshold = best["macro_f1"] - tie_standard_errors * best["standard_error"]
    ties = [name for name, score in scores.items() if score["macro_f1"] >= threshold]
    return min(ties, key=lambda name: scores[name]["bytes"])


def leftovers(params: dict[str, Any], *, bundles: Path, scores: Path, curves: Path, **outs: Path) -> list[Path]:
    """List what candidates left that params.yaml no longer lists, to be removed before the stage begins.

    DVC would take it for inputs, and the resulting lock would differ from that of a fresh clone.
    """
    names = all_candidates(params)
    folders = [path for path in sorted(bundles.glob("*")) if path.name not in names]
    return folders + [path for top in (scores, curves) for path in sorted(top.glob("*")) if path.stem not in names]
