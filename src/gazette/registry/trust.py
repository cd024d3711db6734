"""Whom a project trusts: section `trust` of `params.yaml`."""

from pydantic import BaseModel


class Params(BaseModel, frozen=True, extra="forbid"):
    """The public keys, PEM files, of which one must have signed a bundle before it is served or pulled."""

    require_signature: list[str] = []
