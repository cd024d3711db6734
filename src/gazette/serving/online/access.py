"""Who may ask: bearer tokens, known by their SHA-256, and how often."""

import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prefect_dvc.core.errors import ConfigError

TOKENS = "GAZETTE_TOKENS"  # SHA-256 of tokens, separated by commas or lines


def read_tokens(text: str, where: str) -> tuple[str, ...]:
    """Return the SHA-256 of each token in a text; raises ConfigError if one is not 64 hexadecimal digits."""
    lines = [line.split() for line in text.lower().replace(",", "\n").splitlines()]
    digests = tuple(words[0] for words in lines if words)  # sha256sum adds the name of a file
    for digest in digests:
        if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise ConfigError(
                f"{where}: expected the SHA-256 of each token, 64 hexadecimal digits, as `printf %s TOKEN | sha256sum` "
                f"prints it; got a word of {len(digest)} characters"
            )
    return digests


def read_token_file(path: Path) -> tuple[str, ...]:
    """Return the SHA-256 of each token in a file, one a line; raises ConfigError if there is none."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected the SHA-256 of a token on each line")
    digests = read_tokens(path.read_text(encoding="utf-8-sig", errors="replace"), str(path))
    if not digests:
        raise ConfigError(f"{path}: no token; expected the SHA-256 of a token on each line")
    return digests


def identify(tokens: Sequence[str], authorization: bytes) -> str | None:
    """Return which token a header `Authorization: Bearer …` carries, None if none of them; in constant time.

    Without tokens everybody is the same caller, the empty string.
    """
    if not tokens:
        return ""
    scheme, _, token = authorization.partition(b" ")
    digest = hashlib.sha256(token.strip()).hexdigest() if scheme.lower() == b"bearer" else ""
    matches = [known for known in tokens if hmac.compare_digest(known, digest)]
    return matches[0] if matches else None


def is_foreign(headers: Mapping[bytes, bytes]) -> bool:
    """Check whether a browser asks for a page of another site; over plain HTTP it tells only the origin."""
    if site := headers.get(b"sec-fetch-site"):
        return site in (b"cross-site", b"same-site")
    origin = headers.get(b"origin")
    return origin is not None and origin.partition(b"://")[2] != headers.get(b"host")


@dataclass
class RateLimit:
    """A token bucket for each caller: `per_second` requests, and as many at once as in one second, at least one."""

    per_second: float
    buckets: dict[str, tuple[float, float]] = field(default_factory=dict)  # requests left, at which time

    def take(self, caller: str) -> float:
        """Take one request of a caller; return the seconds until the next is allowed, 0 if this one is."""
        if not self.per_second:
            return 0.0
        now, burst = time.monotonic(), max(1.0, self.per_second)
        left, before = self.buckets.get(caller, (burst, now))
        left = min(burst, left + (now - before) * self.per_second)
        allowed = left >= 1
        self.buckets[caller] = (left - allowed, now)
        return 0.0 if allowed else (1 - left) / self.per_second
