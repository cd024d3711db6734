"""Numbers with their nouns, in messages and pages."""


def tally(number: int, noun: str, nouns: str | None = None) -> str:
    """Return a number with its noun, in the plural unless it is 1: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"
