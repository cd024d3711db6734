"""The packages that a lock names, and those that are installed."""

from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement


def differences(lock: str) -> list[str]:
    """Packages of `requirements.lock` that this environment has in another version or not at all, a line each."""
    found = []
    for wanted in (Requirement(line.rstrip(" \\")) for line in lock.splitlines() if line[:1].isalnum()):
        if wanted.marker and not wanted.marker.evaluate():
            continue
        here = _installed(wanted.name)
        if here is None or not wanted.specifier.contains(here, prereleases=True):
            found.append(f"{wanted.name}{wanted.specifier}, here {here or 'none'}")
    return found


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
