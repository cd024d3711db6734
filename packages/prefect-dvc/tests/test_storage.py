"""What DVC's storage takes, and what it would pass over."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from prefect_dvc import storage
from prefect_dvc.core.errors import ConfigError


@pytest.mark.parametrize(
    ("path", "excluded"), [("raw/a/2.orig", "raw/a/2.orig"), ("raw/cache/1", "raw/cache"), ("raw.orig", "raw.orig")]
)
def test_a_file_that_dvc_would_leave_out_is_refused_with_its_pattern(
    dvc_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, path: str, excluded: str
) -> None:
    root = dvc_project({})
    monkeypatch.chdir(root)
    (root / ".dvcignore").write_text("*.orig\ncache\n")
    for file in (root / "raw" / "a" / "1", root / path):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("1")
    top = Path(path).parts[0]
    with pytest.raises(ConfigError, match=rf"{re.escape(excluded)}: DVC would leave it out \(\.dvcignore:"):
        storage.check_none_ignored(Path(top))
    (root / ".dvcignore").write_text("*.rej\n")
    storage.check_none_ignored(Path(top))
