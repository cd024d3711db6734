"""The pages that docs/references.py writes are up to date."""

import importlib.util
from collections.abc import Callable, Iterator

import pytest
from root import ROOT

specification = importlib.util.spec_from_file_location("references", ROOT / "docs" / "references.py")
assert specification and specification.loader
references = importlib.util.module_from_spec(specification)
specification.loader.exec_module(references)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("docs/cli.md", references.cli_lines),
        ("docs/environment.md", references.environment_lines),
        pytest.param("docs/params.md", references.params_lines, marks=pytest.mark.slow),  # imports TensorFlow
    ],
)
def test_a_reference_is_up_to_date(name: str, lines: Callable[[], Iterator[str]]) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text == "\n".join(lines()), f"{name} is stale: run `python docs/references.py`"
