"""Whom a project trusts: section `trust` of `params.yaml`."""

from pydantic import BaseModel, Field


class Params(BaseModel, frozen=True, extra="forbid"):
    """The public keys, PEM files, of which one must have signed a bundle before it is served or pulled.

    And those of the verifiers of whom so many must have made a revision again, byte for byte.
    """

    require_signature: list[str] = []
    verifiers: list[str] = []
    require: int = Field(0, ge=0)
