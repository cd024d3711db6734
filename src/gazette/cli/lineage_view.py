"""A lineage as a tree on a terminal."""

from typing import Any

from prefect_dvc.core.escape import escape
from rich.text import Text
from rich.tree import Tree

from gazette.core.escape import tally
from gazette.data.overlay import describe
from gazette.lineage.sightings import FileSightings
from gazette.lineage.trace import ModelLineage

MAX_FILES = 5  # raw files


def model_tree(model: ModelLineage) -> Tree:
    """Build the tree of a model: what made it, what became of it, weak links, unknown facts."""
    names = ", ".join(_version_name(version) for version in model.versions)
    tree = Tree(_line(f"model {model.digest}", names or f"{model.corpus or 'unknown corpus'}, no version here"))
    for link in model.weak:
        tree.add(Text.assemble(("weak link: ", "bold yellow"), f"{link['link']}: {escape(link['why'], 300)}"))
    _add_commit(tree, model)
    _add_raw(tree, model)
    stages = tree.add(_line("stages", str(len(model.stages)))) if model.stages else tree
    for name, stage in model.stages.items():
        _add_stage(stages, name, stage)
    for version in model.versions:
        branch = tree.add(_line("version", _version_name(version)))
        branch.add(_line("MLflow run", version["run"] or "none"))
        branch.add(_line("tree", version["tags"].get("tree", "not recorded")))
    for entry in model.verdicts:
        word = (entry.get("verdict") or {}).get("word", "no verdict")
        about = f"{entry.get('kind')}, {word}, by {entry.get('who')}: {entry.get('reason') or 'no reason given'}"
        tree.add(_line(f"{entry['became']} on {entry.get('when')}", escape(about, 300)))
    _add_unknown(tree, model.unknown)
    return tree


def file_tree(file: FileSightings) -> Tree:
    """Build the tree of a file: the models that saw it, the oldest first."""
    tree = Tree(_line(escape(file.file), file.hash or "not in this tree"))
    for sighting in file.sightings:
        branch = tree.add(_line(f"model {sighting.digest}", ", ".join(sighting.versions) or "no version here"))
        branch.add(_line("revision", sighting.revision[:9]))
        differs = "" if sighting.same or file.hash is None else ", other content than in this tree"
        branch.add(_line(escape(sighting.path), sighting.hash + differs))
        if sighting.rows is not None:
            branch.add(_line("articles", ", ".join(f"{split} {rows:,}" for split, rows in sighting.rows.items())))
    if not file.sightings:
        tree.add("no model saw it")
    _add_unknown(tree, file.unknown)
    return tree


def _add_commit(tree: Tree, model: ModelLineage) -> None:
    if not model.commit:
        return
    commit = model.commit
    branch = tree.add(_line(f"commit {commit['commit'][:9]}", escape(commit["subject"], 120)))
    branch.add(f"{escape(commit['author'], 60)}, {commit['when']}")
    if commit["flow_run"]:
        branch.add(_line("Prefect run", escape(commit["flow_run"])))
    for revision in model.revisions[1:]:
        branch.add(f"the same bundle came into dvc.lock again with {revision[:9]}")


def _add_raw(tree: Tree, model: ModelLineage) -> None:
    if not model.raw:
        return
    files = model.raw["files"]
    branch = tree.add(_line(f"raw data {model.raw['path']}", f"{model.raw['digest']}, {tally(len(files), 'file')}"))
    for path, digest in sorted(files.items())[:MAX_FILES]:
        branch.add(_line(escape(path), digest))
    if len(files) > MAX_FILES:
        branch.add(f"… and {len(files) - MAX_FILES:,} more; --json lists them")
    if corrections := model.raw.get("corrections"):
        overlay = branch.add(
            _line(f"corrections {corrections['file']}", f"{corrections['md5']}, {tally(corrections['lines'], 'line')}")
        )
        for line in describe(corrections):
            overlay.add(line)


def _add_stage(tree: Tree, name: str, stage: dict[str, Any]) -> None:
    branch = tree.add(_line(name, stage["hash"][:16]))
    for path, digest in stage["data"].items():
        branch.add(_line(f"← {escape(path)}", digest))
    branch.add(_line("← code", f"{len(stage['code'])} files and folders"))
    for section, numbers in stage["params"].items():
        values = ", ".join(f"{key} {value}" for key, value in numbers.items()) if isinstance(numbers, dict) else numbers
        branch.add(_line(f"← params {section}", escape(str(values), 160)))
    if stage["packages"]:
        branch.add(_line("← packages", f"{len(stage['packages'])}"))
    for path, digest in stage["outputs"].items():
        branch.add(_line(f"→ {escape(path)}", digest))


def _add_unknown(tree: Tree, lines: list[str]) -> None:
    for line in lines:
        tree.add(Text.assemble(("unknown: ", "bold"), escape(line, 300)))


def _version_name(version: dict[str, Any]) -> str:
    aliases = f" ({', '.join(version['aliases'])})" if version["aliases"] else ""
    return f"{version['name']}/{version['number']}{aliases}"


def _line(title: str, value: str) -> Text:
    return Text.assemble((title, "bold"), "  ", value)
