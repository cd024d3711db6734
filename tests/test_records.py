"""Figures as files."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette import records

leaves = st.integers() | st.text(st.characters(codec="utf-8")) | st.booleans() | st.none()
figures = st.dictionaries(
    st.text("abc中"), st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
)


@given(figures)
def test_what_is_written_is_read(record: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        records.write(record, Path(folder) / "figures.json")
        assert records.read(Path(folder) / "figures.json") == record


def test_floats_have_six_decimals_however_deep_they_stand(tmp_path: Path) -> None:
    records.write({"a": 1 / 3, "b": {"c": [2 / 3, {"d": 1.0000001}]}}, tmp_path / "f.json")
    assert records.read(tmp_path / "f.json") == {"a": 0.333333, "b": {"c": [0.666667, {"d": 1.0}]}}


def test_figures_stay_in_their_order_and_in_their_script(tmp_path: Path) -> None:
    records.write({"b": 1, "a": "体育"}, tmp_path / "f.json")
    assert (tmp_path / "f.json").read_text("utf-8") == '{\n  "b": 1,\n  "a": "体育"\n}\n'


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_a_figure_that_is_not_finite_is_refused_and_nothing_is_there(tmp_path: Path, figure: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        records.write({"a": [figure]}, tmp_path / "f.json")
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    records.write({}, tmp_path / "new/f.json")
    records.write_csv(pl.DataFrame({"a": [1]}), tmp_path / "new/f.csv")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["f.csv", "f.json"]


def test_a_csv_of_figures_has_six_decimals(tmp_path: Path) -> None:
    records.write_csv(pl.DataFrame({"slice": ["a,b", "中"], "accuracy": [1 / 3, 1.0]}), tmp_path / "f.csv")
    assert (tmp_path / "f.csv").read_text("utf-8") == 'slice,accuracy\n"a,b",0.333333\n中,1.000000\n'
