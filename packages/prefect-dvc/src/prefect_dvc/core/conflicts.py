"""The markers that git writes into a file where a merge, a rebase or a stash stops at a conflict."""


def describe_marker(text: bytes, name: object) -> str:
    """Return the name and line of the first marker, and the cure; empty if there is none."""
    lines = enumerate(text.split(b"\n"), 1)
    number = next((number for number, line in lines if line.startswith(b"<<<<<<< ")), None)
    return f"{name}, line {number}: a merge conflict marker; resolve the conflict" if number else ""
