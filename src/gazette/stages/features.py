"""Turns an encoder and train and valid rows into features: what the encoder, as it is, says of each text."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field
from safetensors.numpy import save_file

from gazette.core import articles, atomic, drawing
from gazette.core.errors import parse
from gazette.training.networks import learn, runtime


class Params(BaseModel, frozen=True, extra="forbid"):
    """How much of each text, and of how many train rows."""

    length: int = Field(ge=3, le=65_536)  # in tokens, the first and the last included
    rows: int = Field(ge=0)  # of train, drawn; 0: all


def run(
    params: Params,
    *,
    train: dict[str, Any],
    candidate: str,
    pretrained: Path,
    train_rows: Path,
    valid_rows: Path,
    features: Path,
) -> None:
    """`rows` in the file are the numbers of the train rows that were drawn."""
    numbers = parse(learn.Params, train, "params.yaml, section train")
    texts = {"train": articles.read(train_rows)["text"].to_list(), "valid": articles.read(valid_rows)["text"].to_list()}
    drawn = drawing.drawn(params.rows, len(texts["train"]), numbers.seed)
    runtime.start(numbers.seed, numbers.threads, numbers.onednn)
    from gazette.training.encoders import bert

    network, tokenizer = bert.encoder(pretrained), bert.tokenizer(pretrained, params.length)
    chosen = {"train": [texts["train"][row] for row in drawn], "valid": texts["valid"]}
    found = {split: bert.said(network, bert.encode(tokenizer, rows)) for split, rows in chosen.items()}
    with atomic.written(features) as partial:
        save_file(found | {"rows": drawn}, partial)
    print(f"{candidate}: {found['train'].shape[1]} features of {len(drawn):,} train rows")
