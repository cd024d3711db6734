"""The packages that made a model, with the licenses that they state themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distributions

APPROVED = "License :: OSI Approved :: "
MAX_NAME = 80  # characters; some packages have the whole text in the field for its name


@dataclass(frozen=True)
class Package:
    """A Python package at a version; `license` is an SPDX expression, or a name, or empty if it is unknown here."""

    name: str
    version: str
    license: str = ""
    is_expression: bool = False

    @property
    def purl(self) -> str:
        """The package's URL (https://github.com/package-url/purl-spec)."""
        return f"pkg:pypi/{self.name}@{self.version}"


def list_packages(pins: Mapping[str, str]) -> list[Package]:
    """Return packages, by their versions, with their licenses."""
    return [Package(name, pins[name], *_license(name, pins[name])) for name in sorted(pins)]


def _license(name: str, version: str) -> tuple[str, bool]:
    """Return what a package states as its license, and whether that is an expression; only if it is installed here."""
    about = next((package.metadata for package in distributions(name=name) if package.version == version), None)
    if about is None:
        return "", False
    if expressions := about.get_all("License-Expression"):
        return expressions[0], True
    approved = [line.removeprefix(APPROVED) for line in about.get_all("Classifier", []) if line.startswith(APPROVED)]
    text = ", ".join(approved) or "".join(about.get_all("License", [])[:1])
    return (text if len(text) <= MAX_NAME and "\n" not in text else ""), False
