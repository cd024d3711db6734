"""Figures as files."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc.core.errors import ConfigError

from gazette.core import files, tables

leaves = st.integers() | st.text(st.characters(codec="utf-8")) | st.booleans() | st.none()
figures = st.dictionaries(
    st.text("abc中"), st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
)


@given(figures)
def test_what_is_written_is_read(record: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        files.write_json(Path(folder) / "figures.json", record)
        assert files.read_json(Path(folder) / "figures.json") == record


def test_floats_have_six_decimals_however_deep_they_stand(tmp_path: Path) -> None:
    files.write_json(tmp_path / "f.json", {"a": 1 / 3, "b": {"c": [2 / 3, {"d": 1.0000001}]}})
    assert files.read_json(tmp_path / "f.json") == {"a": 0.333333, "b": {"c": [0.666667, {"d": 1.0}]}}


def test_figures_stay_in_their_order_and_in_their_script(tmp_path: Path) -> None:
    files.write_json(tmp_path / "f.json", {"b": 1, "a": "体育"})
    assert (tmp_path / "f.json").read_text("utf-8") == '{\n  "b": 1,\n  "a": "体育"\n}\n'


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_a_figure_that_is_not_finite_is_refused_and_nothing_is_there(tmp_path: Path, figure: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "f.json", {"a": [figure]})
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    files.write_json(tmp_path / "new/f.json", {})
    tables.write_csv(tmp_path / "new/f.csv", pl.DataFrame({"a": [1]}))
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["f.csv", "f.json"]


def test_a_csv_of_figures_has_six_decimals(tmp_path: Path) -> None:
    tables.write_csv(tmp_path / "f.csv", pl.DataFrame({"slice": ["a,b", "中"], "accuracy": [1 / 3, 1.0]}))
    assert (tmp_path / "f.csv").read_text("utf-8") == 'slice,accuracy\n"a,b",0.333333\n中,1.000000\n'


# YAML


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("1e-3", 0.001),
        ('"1e-3"', "1e-3"),
        ("012", 12),
        ("10**12", "10**12"),
        ("1:30", "1:30"),
    ],
)
def test_a_word_of_yaml_is_what_version_1_2_says(tmp_path: Path, text: str, value: object) -> None:
    (tmp_path / "f.yaml").write_text(f"a: {text}\n")
    loaded = files.read_yaml(tmp_path / "f.yaml")["a"]
    assert (str(loaded), type(loaded)) == (str(value), type(value))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", 'duplicate key "a"'),
        (b"a: !!python/object/apply:os.mkdir [owned]\n", "could not determine a constructor for the tag"),
        (b"a: !!python/name:os.system\n", "could not determine a constructor for the tag"),
        (b"a: [1\n", "is not YAML: line 2, column 1: "),
        (
            b"a:\n\tb: 1\n",
            "is not YAML: line 2, column 1: found character '\\t' that cannot start any token; indent",
        ),
        (b"a:\n b: 1\n b: 2\n", 'is not YAML: line 3, column 2: found duplicate key "b" with value "2"'),
        (b"a: 1\nb: caf\xe9\n", "line 2: not UTF-8; save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), "line 1: not UTF-8; save the file as UTF-8"),
        (b"a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> main\n", ", line 2: a merge conflict marker; resolve"),
        (b"a: \x1b[31m\n", "special characters are not allowed"),
        (b"a: *b\n", "an alias"),
        (b"a: 1\nuntil: 2024-02-30\n", "line 2, column 8: '2024-02-30': day is out of range for month"),
        (b"a: -_\n", "line 1, column 4: '-_': invalid literal for int()"),
        (b"a: !!bool x\n", "line 1, column 4: 'x'"),
        (b"- a\n", "expected keys and values, got list"),
        (b"", "expected keys and values, got NoneType: the file is empty"),
    ],
)
def test_yaml_that_says_a_key_twice_or_would_run_something_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"f\.yaml") as stop:
        files.read_yaml(tmp_path / "f.yaml")
    assert message in str(stop.value)
    assert [path.name for path in tmp_path.iterdir()] == ["f.yaml"]


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [(BOMB, r"line 2: an alias"), ("a: " + "[" * 100_000, "more than 20 levels")],
    ids=["bomb", "depth"],
)
def test_yaml_that_would_unfold_or_nest_without_end_is_refused_at_once(
    tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "f.yaml").write_text(content)
    with pytest.raises(ConfigError, match=message):
        files.read_yaml(tmp_path / "f.yaml")


@pytest.mark.parametrize("in_c", [True, False])
def test_yaml_is_the_same_without_the_parser_in_c(monkeypatch: pytest.MonkeyPatch, in_c: bool) -> None:
    monkeypatch.setattr(files, "CParser", files.CParser if in_c else None)
    files._load.cache_clear()
    lines = [
        "体育: {a: no, 'b': [1e-3, ~]}",
        "c: |",
        "  x",
        "  y",
        "d: >-",
        "  😀 #",
        "",
        "  z # no comment",
        "\"e\": 'it''s' # f",
    ]
    assert files.parse_yaml("\r\n".join(lines).encode(), "f") == {
        "体育": {"a": "no", "b": [0.001, None]}, "c": "x\ny\n", "d": "😀 #\nz # no comment", "e": "it's"
    }  # fmt: skip


def test_a_tab_may_stand_before_a_value_as_dvc_reads_it() -> None:
    assert files.parse_yaml("a:\t1\t# b\n", "f") == {"a": 1}


def test_a_folder_is_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        files.read_yaml(tmp_path)
