"""What is kept of traffic and for how long: keys of section `monitor` of params.yaml."""

from pydantic import BaseModel, Field


class Params(BaseModel, frozen=True):
    """Of the texts, a random share, masked; of both, so many days; of all files together, so many megabytes."""

    sample: float = Field(0.05, ge=0, le=1)
    text_days: int = Field(30, ge=1)
    journal_days: int = Field(730, ge=1)
    journal_megabytes: int = Field(2_000, ge=1)
