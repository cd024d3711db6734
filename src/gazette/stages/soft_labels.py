"""Compute a teacher's soft labels of the train split, or of a sample of it."""

from pathlib import Path

from prefect_dvc.core import atomic
from pydantic import BaseModel, Field
from safetensors.numpy import save_file

from gazette.core import articles
from gazette.core.bundle import Bundle


class Params(BaseModel, frozen=True, extra="forbid"):
    """Size of the sample, which bounds the time of a slow teacher."""

    max_rows: int | None = Field(ge=1)  # sampled; None: all
    seed: int = Field(ge=0)
    threads: int = Field(ge=1)


def run(params: Params, *, candidate: str, teacher: Path, train_rows: Path, soft_labels: Path) -> None:
    """Write `probabilities` and `rows`, the numbers of the sampled rows."""
    texts = articles.read_articles(train_rows)["text"].to_list()
    rows = articles.sample_rows(len(texts), params.max_rows, params.seed)
    probabilities = Bundle(teacher, params.threads).probabilities([texts[row] for row in rows])
    with atomic.atomic_path(soft_labels) as partial:
        save_file({"probabilities": probabilities, "rows": rows}, partial)
    print(f"{candidate}: {teacher.name} labeled {len(rows):,} of {len(texts):,} train rows")
