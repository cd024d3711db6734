"""A lineage as a tree on a terminal."""

from typing import Any

from rich.text import Text
from rich.tree import Tree

from gazette.core.escape import shown
from gazette.lineage.sightings import Seen
from gazette.lineage.trace import Model

FILES = 5  # raw files that are listed


def of_model(model: Model) -> Tree:
    """The model, what made it, what became of it, what holds less, what is not known."""
    names = ", ".join(_named(version) for version in model.versions)
    tree = Tree(_line(f"model {model.digest}", names or f"{model.corpus or 'of an unknown corpus'}, no version here"))
    for one in model.weak:
        tree.add(Text.assemble(("weak link: ", "bold yellow"), f"{one['link']}: {shown(one['why'], 300)}"))
    _commit(tree, model)
    if model.raw:
        files = model.raw["files"]
        branch = tree.add(_line(f"raw data {model.raw['path']}", f"{model.raw['digest']}, {len(files):,} files"))
        for path, digest in sorted(files.items())[:FILES]:
            branch.add(_line(shown(path), digest))
        if len(files) > FILES:
            branch.add(f"… and {len(files) - FILES:,} more; --json lists them")
    stages = tree.add(_line("stages", str(len(model.stages)))) if model.stages else tree
    for name, stage in model.stages.items():
        _stage(stages, name, stage)
    for version in model.versions:
        branch = tree.add(_line("version", _named(version)))
        branch.add(_line("MLflow's run", version["run"] or "none"))
        branch.add(_line("tree", version["tags"].get("tree", "not recorded")))
    for entry in model.verdicts:
        word = (entry.get("verdict") or {}).get("word", "no verdict")
        said = f"{entry.get('kind')}, {word}, by {entry.get('who')}: {entry.get('reason') or 'no reason given'}"
        tree.add(_line(f"{entry['became']} on {entry.get('when')}", shown(said, 300)))
    for line in model.unknown:
        tree.add(Text.assemble(("not known: ", "bold"), shown(line, 300)))
    return tree


def of_file(seen: Seen) -> Tree:
    """The models that saw a file, the oldest first."""
    tree = Tree(_line(shown(seen.asked), seen.hash or "not here"))
    for one in seen.sightings:
        names = ", ".join(one.versions) or "no version here"
        branch = tree.add(_line(f"model {one.digest}", names))
        branch.add(_line("revision", one.revision[:9]))
        other = "" if one.same or seen.hash is None else ", other content than here"
        branch.add(_line(shown(one.path), one.hash + other))
        if one.rows is not None:
            branch.add(_line("articles", ", ".join(f"{split} {rows:,}" for split, rows in one.rows.items())))
    if not seen.sightings:
        tree.add("no model saw it")
    for line in seen.unknown:
        tree.add(Text.assemble(("not known: ", "bold"), shown(line, 300)))
    return tree


def _commit(tree: Tree, model: Model) -> None:
    if not model.commit:
        return
    about = model.commit
    branch = tree.add(_line(f"commit {about['commit'][:9]}", shown(about["subject"], 120)))
    branch.add(f"{shown(about['author'], 60)}, {about['when']}")
    if about["flow_run"]:
        branch.add(_line("Prefect's run", shown(about["flow_run"])))
    for other in model.revisions[1:]:
        branch.add(f"the same bundle came into dvc.lock again with {other[:9]}")


def _stage(tree: Tree, name: str, stage: dict[str, Any]) -> None:
    branch = tree.add(_line(name, stage["hash"][:16]))
    for path, digest in stage["data"].items():
        branch.add(_line(f"← {shown(path)}", digest))
    branch.add(_line("← code", f"{len(stage['code'])} files and folders"))
    for section, numbers in stage["params"].items():
        values = ", ".join(f"{key} {value}" for key, value in numbers.items()) if isinstance(numbers, dict) else numbers
        branch.add(_line(f"← params {section}", shown(str(values), 160)))
    if stage["packages"]:
        branch.add(_line("← packages", f"{len(stage['packages'])}"))
    for path, digest in stage["made"].items():
        branch.add(_line(f"→ {shown(path)}", digest))


def _named(version: dict[str, Any]) -> str:
    aliases = f" ({', '.join(version['aliases'])})" if version["aliases"] else ""
    return f"{version['name']}/{version['number']}{aliases}"


def _line(what: str, value: str) -> Text:
    return Text.assemble((what, "bold"), "  ", value)
