"""Turns a candidate, the teacher, and train rows into what it says of them, for another one to learn."""

from pathlib import Path

from pydantic import BaseModel, Field
from safetensors.numpy import save_file

from gazette.core import articles, atomic, drawing
from gazette.core.bundle import Bundle


class Params(BaseModel, frozen=True, extra="forbid"):
    """Of how many train rows the teacher is asked; it may take long over each."""

    rows: int = Field(ge=0)  # drawn; 0: all
    seed: int = Field(ge=0)
    threads: int = Field(ge=1)


def run(params: Params, *, candidate: str, teacher: Path, train_rows: Path, taught: Path) -> None:
    """`rows` in the file are the numbers of the train rows that were drawn."""
    texts = articles.read(train_rows)["text"].to_list()
    drawn = drawing.drawn(params.rows, len(texts), params.seed)
    found = Bundle(teacher, params.threads).probabilities([texts[row] for row in drawn])
    with atomic.written(taught) as partial:
        save_file({"probabilities": found, "rows": drawn}, partial)
    print(f"{candidate}: {teacher.name} was asked about {len(drawn):,} of {len(texts):,} train rows")
