"""The packages of `requirements.lock` against those that are installed."""

from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement


def package_differences(lock: str) -> list[str]:
    """List the packages of `requirements.lock` that this environment lacks or has in another version, a line each."""
    differences = []
    for pin in (Requirement(line.rstrip(" \\")) for line in lock.splitlines() if line[:1].isalnum()):
        if pin.marker and not pin.marker.evaluate():
            continue
        installed = _installed_version(pin.name)
        if installed is None or not pin.specifier.contains(installed, prereleases=True):
            differences.append(f"{pin.name}{pin.specifier}, here {installed or 'none'}")
    return differences


def _installed_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
