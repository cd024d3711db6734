"""Whatever interrupted runs left, the next one ends with the articles of its own rows."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gazette.core.corpus import Corpus
from gazette.data.parts import PLACE, Parts
from gazette.data.validation.part_records import PartRecord, PartRecords
from gazette.data.validation.rows import RowInspector

SCHEMA = {"text": pl.String, "label": pl.String, "split": pl.String, "file": pl.String, "line": pl.Int64}
REJECTS = pl.DataFrame(schema=dict.fromkeys([*PLACE, "reason", "seen"], pl.String) | {"line": pl.Int64})
MASKED = pl.DataFrame(schema=dict.fromkeys(["kind", *PLACE, "seen"], pl.String) | {"line": pl.Int64})

corpora = st.lists(st.lists(st.sampled_from(["good", "better", "bad"]), max_size=3), min_size=1, max_size=4)
runs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=4)  # which corpus, and steps until a kill


class Inspector(RowInspector):
    """Inspects rows in no time, and dies before one of its steps."""

    def __init__(self, folder: Path, steps: Iterator[int]) -> None:
        self.parts, self.steps = Parts(folder), steps
        super().__init__(Corpus.model_construct(labels=[]), "keep", self.parts, PartRecords(folder, {}))

    def _inspect(self, table: pl.DataFrame) -> PartRecord:
        next(self.steps)
        good = table.filter(pl.col("text") != "bad")
        self.parts.append(good)
        next(self.steps)
        return PartRecord(REJECTS, REJECTS, MASKED, {}, 0, good.height, good.height)

    def run(self, corpus: list[list[str]]) -> list[str]:
        for number, texts in enumerate(corpus):
            rows = [(text, "a", "train", "f", 10 * number + line) for line, text in enumerate(texts)]
            self.take(pl.DataFrame(rows, schema=SCHEMA, orient="row"), REJECTS)
        return self.parts.scan().collect()["text"].to_list()


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records")


@given(st.tuples(corpora, corpora, corpora), runs)
@example(([["good"], ["better"]], [["good", "good"], ["good"]], []), [(0, 9), (1, 3)])  # part 1 is written over
@example(([["good"], ["bad"], ["better"]], [["good", "good"], ["good"]], []), [(0, 9), (1, 4)])
def test_the_articles_are_those_of_the_last_run(
    box: Path, choice: tuple[list[list[str]], ...], runs: list[tuple[int, int]]
) -> None:
    folder = box / "parts"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number, steps in runs:
        try:
            Inspector(folder, iter(range(steps))).run(choice[number])
        except StopIteration:
            continue
    expected = [text for texts in choice[0] for text in texts if text != "bad"]
    assert Inspector(folder, iter(range(99))).run(choice[0]) == expected
