"""Compute the features of a frozen pretrained encoder for the train and validation splits."""

from pathlib import Path
from typing import Any

from prefect_dvc.core import atomic
from prefect_dvc.core.errors import parse
from pydantic import BaseModel, Field
from safetensors.numpy import save_file

from gazette.core import articles
from gazette.training.networks import learn, runtime
from gazette.training.networks.tokenizer import encode


class Params(BaseModel, frozen=True, extra="forbid"):
    """Maximum length of a text, and size of the sample of the train split."""

    max_length: int = Field(ge=3, le=65_536)  # in tokens, [CLS] and [SEP] included
    max_rows: int | None = Field(ge=1)  # of train, sampled; None: all


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
    """Write the features `train` and `valid`, and `rows`, the numbers of the sampled train rows."""
    shared = parse(learn.Params, train, "params.yaml, section train")
    texts = articles.read_articles(train_rows)["text"].to_list()
    rows = articles.sample_rows(len(texts), params.max_rows, shared.seed)
    valid_texts = articles.read_articles(valid_rows)["text"].to_list()
    runtime.configure_tensorflow(shared.seed, shared.threads, shared.onednn)
    from gazette.training.encoders import bert

    network, tokenizer = bert.build_encoder(pretrained), bert.load_tokenizer(pretrained, params.max_length)
    splits = {"train": [texts[row] for row in rows], "valid": valid_texts}
    vectors = {split: bert.embed(network, encode(tokenizer, part)) for split, part in splits.items()}
    with atomic.atomic_path(features) as partial:
        save_file(vectors | {"rows": rows}, partial)
    print(f"{candidate}: {vectors['train'].shape[1]} features of {len(rows):,} train rows")
