"""A corpus's description rendered as YAML."""

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from gazette.core.corpus import Corpus, File

HEADER = "# Detected by `gazette corpus add`. Delimiter, quotes, header and columns may be corrected here.\n"


def render_description(corpus: Corpus) -> str:
    """Render a description with one line per file and every key of its layout."""
    content = CommentedMap(corpus.model_dump(exclude_none=True))
    content["labels"] = _flow_list(corpus.labels)
    content["files"] = {split: [_flow_map(file) for file in files] for split, files in corpus.files.items()}
    yaml, out = YAML(), StringIO()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(content, out)
    return HEADER + out.getvalue()


def _flow_map(file: File) -> CommentedMap:
    layout = CommentedMap(
        {key: _flow_list(v) if isinstance(v, list) else _quote(v) for key, v in _layout(file).items()}
    )
    layout.fa.set_flow_style()
    return layout


def _layout(file: File) -> dict[str, Any]:
    """Return all keys of a layout, but for those of encoding and compression that a UTF-8 file does not need.

    A file without dates has none of their keys.
    """
    layout = file.model_dump()
    usual = dict.fromkeys(("date", "date_format", "time_zone")) | {"encoding": "utf-8"}
    usual |= dict.fromkeys(("other_encoding", "compression"))
    last = {key: value for key in usual if (value := layout.pop(key, usual[key])) != usual[key]}
    return layout | last


def _flow_list(values: list[Any]) -> CommentedSeq:
    line = CommentedSeq(map(_quote, values))
    line.fa.set_flow_style()
    return line


def _quote(value: Any) -> Any:
    """Quote a string that begins with `?`: ruamel writes it plain, and reads it back as a key."""
    return SingleQuotedScalarString(value) if isinstance(value, str) and value.startswith("?") else value
