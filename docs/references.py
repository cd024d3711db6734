"""Write docs/cli.md from the commands, docs/params.md from params.yaml, and docs/environment.md from its tables.

    python docs/references.py

The pages are committed; tests/docs/test_references.py fails if they are stale.
"""

import importlib
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
NOTE = "<!-- Written by `python docs/references.py`; do not edit. -->"
MODELS = {
    "monitor": "gazette.monitoring.params:Params",
    "smoke_test": "gazette.registry.smoke_test:Params",
    "trust": "gazette.registry.trust:Params",
    "gate": "gazette.evaluation.gate.rules:Rules",
    "retrain": "gazette.monitoring.policy:Params",
}
UNTYPED = ("corpus", "candidates", "pretrained", "teachers")
BOUNDS = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤", "minItems": "length ≥"}
ENVIRONMENT = """
A variable or a file of a library can change what a stage makes, or switch a check off, without a trace. So every
`gazette` command, every stage under `dvc repro`, every flow and every child of these starts with the variables below,
and nothing else of what your shell has. A variable that is set but empty counts as not set, since compose files and
CI pass one on so; only an empty `CUDA_VISIBLE_DEVICES` or `GIT_CONFIG_VALUE_0` has a meaning. `gazette doctor` names
the variables of libraries that are set without effect. A test trains under a hostile environment and compares bytes."""
EXCEPTIONS = """
Loopback (`localhost`, `127.0.0.1`, `::1`) is never reached through a proxy: it is added to your `NO_PROXY`.
A number of threads that is none is refused with exit code 2. A stage refuses a package that `PYTHONPATH`
puts before the installed one, and the code of another Gazette."""
SETTINGS = """
The last two are set on x86-64. Training also sets `KERAS_BACKEND`, `TF_ENABLE_ONEDNN_OPTS` and
`ONEDNN_MAX_CPU_ISA`; what they are for is in [proof.md](proof.md#on-which-machines-the-bytes-are-equal)."""
ANOTHER = """
`GAZETTE_PASS=NAME,NAME` lets further variables pass, such as those of a storage that is not listed. A
variable of a library that computes, checks or writes is refused there, with exit code 2: {libraries}."""
Row = tuple[str, ...]


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (ROOT / name).write_text(text, encoding="utf-8")
        click.echo(name)


def pages() -> dict[str, str]:
    """Return the text of each page by its path."""
    lines = {"docs/cli.md": cli_lines, "docs/params.md": params_lines, "docs/environment.md": environment_lines}
    return {name: "\n".join(lines()) for name, lines in lines.items()}


def table(headings: Row, rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    for row in (headings, ("---",) * len(headings), *rows):
        yield f"| {' | '.join(map(escape_cell, row))} |".replace("  ", " ")
    yield ""


def escape_cell(text: str) -> str:
    """Escape what would end a cell or, outside of code, begin a tag."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(part if number % 2 else re.sub("<(?=[a-z/])", "&lt;", part) for number, part in enumerate(parts))


# Files of libraries outside the project, and what of them counts.
FILES = {
    "`~/.keras/keras.json`": "not read (`KERAS_HOME`)",
    "`~/.prefect/profiles.toml`": "not read (`PREFECT_PROFILES_PATH`); a server and its key are variables",
    "`~/.config/dask/*.yaml`, `/etc/dask/*.yaml`": "not read; a cluster's certificates are variables",
    "`great_expectations.conf` in a home or `/etc`": "without effect: the context is made in memory, without GX Cloud",
    "`matplotlibrc`": "without effect: no figure is drawn by matplotlib",
    "DVC's `config` in a home or `/etc`": "read, for remotes, caches and credentials; `.dvc/config` prevails",
    "git's `config` in a home or `/etc`": "read, for names, credentials and `safe.directory`; hooks are off",
    "`pip.conf`, `uv.toml`": "read, for the package index; each package's hash is checked",
    "`~/.mlflow/credentials`, `~/.netrc`, `~/.aws`, `~/.ssh`, …": "read: credentials",
    "`.env`, `prefect.toml` and `[tool.prefect]` in the project": "read by Prefect; they are the project's own",
}


# Variables


def environment_lines() -> Iterator[str]:
    """Yield the lines of docs/environment.md."""
    from gazette.pipeline import inheritance, variables

    yield from ("# Variables and files that pass", "", NOTE, "")
    yield from (*textwrap.wrap(ENVIRONMENT.strip(), 120), "", "## What passes", "")
    names = {why: " ".join(f"`{name}`" for name in names) for why, names in variables.PASSED.items()}
    yield from table(("why", "variables; `*` stands for any ending"), names.items())
    yield from (*textwrap.wrap(EXCEPTIONS.strip(), 120), "", "## What is set", "")
    rows = [(f"`{name}`", f"`{value}`", why) for name, (value, why) in (variables.SET | variables.KERNELS).items()]
    yield from table(("variable", "value", "why"), rows)
    yield from (*textwrap.wrap(SETTINGS.strip(), 120), "", "## Files outside the project", "")
    yield from table(("file", "what of it counts"), FILES.items())
    yield from ("## Another variable", "")
    text = ANOTHER.strip().format(libraries=", ".join(f"`{name}`" for name in inheritance.LIBRARIES))
    yield from (*textwrap.wrap(text, 120), "")


# Commands


def cli_lines() -> Iterator[str]:
    """Yield the lines of docs/cli.md."""
    from gazette.cli import app

    yield from ("# Command line", "", NOTE, "")
    yield "Every command and option of `gazette`. `gazette COMMAND --help` prints the same text."
    yield from ("", f"{app.gazette.epilog}", "")
    commands = app.gazette.commands.items()
    for heading in dict.fromkeys(app.gazette.headings.values()):
        yield from (f"## {heading}", "")
        for name, command in commands:
            if app.gazette.headings[name] == heading:
                yield from command_lines(f"gazette {name}", command)
    yield from ("## Stages", "")
    yield from ("`dvc.yaml` runs these. All options are required, and are paths unless stated otherwise.", "")
    for name in sorted(app.stages()):
        command = app.stage(name)
        options = ", ".join(
            f"`{param.opts[0]}`" + ("" if isinstance(param.type, click.Path) else " (a name)")
            for param in command.params
        )
        yield from (f"### gazette {name}", "", *prose(command.help or ""), "", f"Options: {options}.", "")


def command_lines(path: str, command: click.Command) -> Iterator[str]:
    """Yield the section of a command, and those of its own commands."""
    context = click.Context(command, info_name=path)
    text, _, examples = re.sub(r"\n\s*Example: (.*)", r"\nExamples:\n  \1", command.help or "").partition("Examples:\n")
    yield from (f"### {path}", "", *prose(text), "")
    if not isinstance(command, click.Group):
        yield from ("```text", f"{path} {' '.join(command.collect_usage_pieces(context))}", "```", "")
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    if options:
        yield from table(("option", "meaning"), [option_row(option, context) for option in options])
    if examples:
        lines = inspect.cleandoc(examples).rstrip().splitlines()
        yield from ("```console", *(line if line.startswith(" ") else f"$ {line}" for line in lines), "```", "")
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from command_lines(f"{path} {name}", child)


def option_row(option: click.Option, context: click.Context) -> Row:
    """Return an option as click shows it, and its help."""
    record = option.get_help_record(context)
    assert record
    text = re.sub(r"\[(.*)\]$", r"(\1)", " ".join(record[1].split())).replace("] [", "; ")
    return f"`{record[0]}`", text.replace("<=", " ≤ ").replace(">=", " ≥ ").replace("0<", "0 < ")


def prose(text: str) -> list[str]:
    """Return a help's paragraphs, a line each, without click's marks; the first line is a paragraph."""
    first, _, rest = text.replace("\b", "").strip().partition("\n")
    paragraphs = [" ".join(part.split()) for part in rest.split("\n\n") if part.strip()]
    return "\n\n".join(textwrap.fill(part, 120) for part in [first, *paragraphs]).split("\n")


# Params


def params_lines() -> Iterator[str]:
    """Yield the lines of docs/params.md."""
    from gazette.core import files

    numbers, remarks = files.read_yaml(ROOT / "params.yaml"), read_remarks()
    yield from ("# Params", "", NOTE, "")
    yield "Every key of `params.yaml`, with its type and bounds, and the value and the remark that it has there. A key"
    yield from ("that is unknown, missing or out of bounds stops the run with exit code 2.", "")
    rows = [(f"`{key}`", f"`{remarks[key][0] or '{…}'}`", remarks[key][1]) for key in UNTYPED]
    yield from table(("key", "value", "remark"), rows)
    for section in [key for key in numbers if key not in (*UNTYPED, "models", "tune")]:
        yield from section_lines(f"## {section}", section, remarks, find_model(section))
    yield from ("## models", "", "A section per candidate; `family` names the module that builds it.", "")
    for candidate, values in numbers["models"].items():
        yield from section_lines(f"### {candidate}", f"models.{candidate}", remarks, find_family(values))
    yield from ("## tune", "", f"{remarks['tune'][1]}.".capitalize(), "")
    rows = [
        (f"`{path.removeprefix('tune.')}`", f"`{value}`") for path, (value, _) in remarks.items()
        if path.startswith("tune.") and value
    ]  # fmt: skip
    yield from table(("key", "range or values"), rows)


def section_lines(heading: str, section: str, remarks: dict[str, Row], schema: dict[str, Any]) -> Iterator[str]:
    """Yield the table of a section, and those of its nested sections."""
    yield from (heading, "")
    if remark := remarks[section][1]:
        yield from (f"{remark[0].upper()}{remark[1:]}.", "")
    rows, nested, fields = [], {}, schema["properties"]
    listed = [key for key in (path.removeprefix(f"{section}.") for path in remarks) if key in fields]
    for key in dict.fromkeys([*listed, *fields]):
        field = fields[key]
        if reference := field.get("$ref"):
            nested[key] = schema["$defs"][reference.rpartition("/")[2]]
            continue
        value, remark = remarks.get(f"{section}.{key}", ("", ""))
        remark = remark or earlier_remark(section, key, value, remarks)
        shown = f"`{value}`" if value else f"not set: `{field['default']}`"
        rows.append((f"`{key}`", describe_type(field), describe_bounds(field), shown, remark))
    yield from table(("key", "type", "bounds", "value", "remark"), rows)
    for key, inner in nested.items():
        yield from section_lines(f"### {section}.{key}", f"{section}.{key}", remarks, inner)


def earlier_remark(section: str, key: str, value: str, remarks: dict[str, Row]) -> str:
    """Return the remark on a model's key in the first of the models before it that has one; on a word, on that word."""
    for path, (same, remark) in remarks.items():
        if path == section or not section.startswith("models."):
            break
        if remark and re.fullmatch(rf"models\.\w+\.{key}", path) and (same == value or not value.isalpha()):
            return remark
    return ""


def find_model(section: str) -> dict[str, Any]:
    """Return the JSON schema of a section of a stage, the smoke test or the gate."""
    module, _, name = MODELS.get(section, f"gazette.stages.{section}:Params").partition(":")
    return dict(getattr(importlib.import_module(module), name).model_json_schema())


def find_family(values: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a model's section."""
    from gazette.training.encoders import fine_tuning, heads, static
    from gazette.training.networks import family

    if values["family"] == "static":
        return dict(static.Params.model_json_schema())
    if values["family"] != "bert":
        schema = dict(family.load_family(values["family"]).Params.model_json_schema())
        return schema | {"properties": schema["properties"] | {"family": {"const": values["family"]}}}
    return dict((fine_tuning if "epochs" in values else heads).Params.model_json_schema())


def describe_type(field: dict[str, Any]) -> str:
    """Return the type of a key in words."""
    if "anyOf" in field:
        return " or ".join(describe_type(choice) for choice in field["anyOf"])
    if values := field.get("enum", [field["const"]] if "const" in field else []):
        return ", ".join(f"`{value}`" for value in values)
    if field.get("type") == "array":
        return f"list of {describe_type(field['items'])}s"
    if field.get("type") == "object":
        return "mapping"
    return str(field["type"])


def describe_bounds(field: dict[str, Any]) -> str:
    """Return the bounds of a key, or of the items of a list."""
    parts = [field, *field.get("anyOf", []), field.get("items", {})]
    return ", ".join(f"{sign} {part[key]:,}" for part in parts for key, sign in BOUNDS.items() if key in part)


def read_remarks() -> dict[str, Row]:
    """Return the value and the remark of each key of params.yaml, by its path with dots, as they are in the file."""
    remarks: dict[str, Row] = {}
    path: list[str] = []
    for line in (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"( *)(\w+):(?: (?!#)(.*?))?(?: +# (.*))?", line):
            indent, key, value, remark = match.groups(default="")
            path[len(indent) // 2 :] = [key]
            remarks[".".join(path)] = (value.strip(), remark)
    return remarks


if __name__ == "__main__":
    main()
