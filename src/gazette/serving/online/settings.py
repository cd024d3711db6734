"""What `gazette serve` was asked for, handed from the parent to its workers as one file."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gazette.core import files

VARIABLE = "GAZETTE_SERVE"  # the folder of a running server, for its workers


@dataclass(frozen=True)
class Limits:
    """Bounds of a request, of the queue before a worker, and of the time that a request may take."""

    body_bytes: int = 1 << 20
    texts: int = 256
    text_characters: int = 100_000
    waiting_texts: int = 1_024
    deadline_seconds: float = 2.0
    grace_seconds: float = 20.0
    requests_per_second: float = 0.0  # of a token, and of all who come without; 0: no limit


@dataclass(frozen=True)
class Settings:
    """References of the models that answer, answer aside (shadow) and answer a share (canary), and the limits."""

    model: str
    shadow: str = ""
    canary_share: float = 0.0
    limits: Limits = Limits()
    tokens: tuple[str, ...] = ()  # SHA-256 of the bearer tokens; none: everybody may ask
    public_key: str = ""  # path of the key that must have signed a statement about a bundle
    signers: tuple[str, ...] = ()  # paths of the keys of which one must have signed a bundle; none: any may answer
    workers: int = 1
    feedback: str = "feedback"
    journal: str = ""  # empty: no journal
    sample: float = 0.0  # share of the answers whose texts the journal keeps


def write(folder: Path, settings: Settings) -> None:
    """Write the settings into the folder of a running server."""
    files.write_json(folder / "settings.json", asdict(settings))


def read(folder: Path) -> Settings:
    """Read the settings from the folder of a running server."""
    record: dict[str, Any] = files.read_json(folder / "settings.json")
    lists = {name: tuple(record[name]) for name in ("tokens", "signers")}
    return Settings(**record | lists | {"limits": Limits(**record["limits"])})
