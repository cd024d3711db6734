"""Hashes of files and folders."""

import hashlib
from pathlib import Path

from prefect_dvc import hashing


def test_a_folder_has_the_hash_that_dvc_gives_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name, content in {"b.txt": "a", "sub/é.txt": "c", "B.txt": "d", "sub.x": "e"}.items():
        (tmp_path / name).write_text(content)
    assert hashing.dvc_hash(tmp_path) == "f6158854b6604a3148415c9902518b10.dir"  # as `dvc add` says
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("compiled")
    assert hashing.dvc_hash(tmp_path) == "f6158854b6604a3148415c9902518b10.dir"


def test_a_folder_of_articles_has_one_hash_of_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "sport").mkdir()
    (tmp_path / "sport" / "a.txt").write_text("a")
    first = hashing.sha256_tree(tmp_path)
    assert first == hashlib.sha256(f"{hashlib.sha256(b'a').hexdigest()}  sport/a.txt\n".encode()).hexdigest()
    (tmp_path / ".DS_Store").write_text("x")
    assert hashing.sha256_tree(tmp_path) == first
    (tmp_path / "sport" / "a.txt").rename(tmp_path / "sport" / "b.txt")
    assert hashing.sha256_tree(tmp_path) != first
