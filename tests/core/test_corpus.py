"""Corpus descriptions: what they can contain, and what is rejected by name."""

from pathlib import Path
from typing import Any

import pytest
from prefect_dvc.core.errors import ConfigError
from pydantic import ValidationError

from gazette.core import corpus

CSV = {"format": "csv", "path": "raw.csv", "header": True, "text": ["text"], "label": "label"}


def described(*files: dict[str, Any], **more: Any) -> corpus.Corpus:
    about = {"language": "en", "labels": ["a", "b"], "files": {"train": files}, "source": "here", "terms": "none"}
    return corpus.Corpus(**about | more)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"langauge": "en"}, "langauge"),
        ({"language": "french"}, "language"),
        ({"labels": ["a", "a"]}, "names a class twice"),
        ({"labels": ["Sport", "tech", "sport"]}, r"class twice, case and blanks aside: \['Sport', 'sport'\]; keep"),
        ({"labels": ["tech", "world news", " world  news"]}, "names a class twice, case and blanks aside"),
        ({"labels": ["a", " ", "b"]}, "has an empty one, number 2"),
        ({"labels": ["a"]}, "labels"),
        ({"files": {"test": [CSV]}}, "no `train`"),
        ({"files": {"train": [CSV | {"sep": ";"}]}}, "sep"),
        ({"files": {"train": [CSV | {"text": []}]}}, "text"),
        ({"files": {"train": [CSV | {"format": "xml"}]}}, "xml"),
        ({"files": {"train": [CSV | {"format": "tsv"}]}}, "tsv"),
        ({"files": {"train": [CSV | {"delimiter": "\n"}]}}, "delimiter"),
        ({"files": {"train": [CSV | {"path": "../raw.csv"}]}}, "leads out of the corpus's folder"),
        ({"files": {"train": [CSV | {"path": "/etc/passwd"}]}}, "leads out of the corpus's folder"),
    ],
)
def test_a_description_that_is_wrong_is_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        described(CSV, **wrong)


def test_a_description_is_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(
        "language: zh\nlabels: [no, yes]\nsource: x\nterms: y\nfiles: {train: [{format: folder, path: all}]}\n"
    )
    assert corpus.read_description(path).labels == ["no", "yes"]


def test_a_description_that_is_not_there_says_where_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: no such file"):
        corpus.read_description(tmp_path / "none.yaml")
