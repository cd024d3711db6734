"""What may not answer: a bundle that is damaged, foreign, unsigned where signing is asked, or no classifier."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gazette.core.bundle import Bundle
from gazette.core.errors import ConfigError
from gazette.pipeline import hashing
from gazette.registry import signing, statements
from gazette.serving.online.check import check
from gazette.serving.online.follow import Follower
from gazette.serving.online.source import NoVersionError, Wanted


def wanted(bundle: Path, **changes: Any) -> Wanted:
    fields = {"name": "tiny", "version": "3", "digest": hashing.dvc_hash(bundle), "ledger": "", "revision": ""}
    return Wanted(**(fields | changes))


def statement(folder: Path) -> dict[str, Any]:
    subject = [{"name": path.name, "digest": {"sha256": hashing.hash_file(path)}} for path in folder.iterdir()]
    return {"subject": subject}


def test_a_bundle_as_registered_may_answer(bundle: Path) -> None:
    check(wanted(bundle), bundle, "")


def test_a_byte_that_changed_is_refused(bundle: Path) -> None:
    version = wanted(bundle)
    content = bytearray((bundle / "model.onnx").read_bytes())
    content[-1] ^= 1
    (bundle / "model.onnx").write_bytes(content)
    with pytest.raises(ConfigError, match="it was registered with"):
        check(version, bundle, "")


def test_where_signing_is_asked_a_version_without_statement_is_refused(bundle: Path) -> None:
    with pytest.raises(ConfigError, match=r"no statement that public\.pem could have signed; `gazette attest`"):
        check(wanted(bundle), bundle, "public.pem")


@pytest.mark.parametrize("faults", [[], ["signed by another key"]])
def test_a_statement_must_be_signed_by_the_key(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, faults: list[str]
) -> None:
    monkeypatch.setattr(statements, "fetch_record", lambda *_: statement(bundle))
    monkeypatch.setattr(statements, "unwrap", lambda record: record)
    monkeypatch.setattr(signing, "verify", lambda *_: faults)
    if not faults:
        check(wanted(bundle, has_statement=True), bundle, "public.pem")
        return
    with pytest.raises(ConfigError, match="signed by another key"):
        check(wanted(bundle, has_statement=True), bundle, "public.pem")


def test_a_statement_about_another_bundle_is_refused(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = bundle.with_name("other")
    shutil.copytree(bundle, second)
    (second / "bundle.json").write_text(json.dumps(json.loads((bundle / "bundle.json").read_text()) | {"length": 9}))
    monkeypatch.setattr(statements, "fetch_record", lambda *_: statement(second))
    monkeypatch.setattr(statements, "unwrap", lambda record: record)
    with pytest.raises(ConfigError, match=r"other digests for bundle\.json"):
        check(wanted(bundle, has_statement=True), bundle, "")


def test_answers_that_are_no_probabilities_are_refused(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bundle, "probabilities", lambda self, texts: np.full((len(texts), 2), np.nan))
    with pytest.raises(ConfigError, match="not probabilities"):
        check(wanted(bundle), bundle, "")


class Source:
    """Names a version, or raises what it is given."""

    def __init__(self, bundle: Path) -> None:
        self.bundle, self.fault, self.wanted = bundle, None, wanted(bundle)

    def find(self) -> Wanted:
        if self.fault:
            raise self.fault
        return self.wanted

    def fetch(self, _: Wanted) -> Path:
        return self.bundle


def test_a_challenger_that_is_gone_is_no_silent_registry(tmp_path: Path, bundle: Path) -> None:
    main, shadow = Source(bundle), Source(bundle)
    follower = Follower(tmp_path, main, shadow, "")
    follower.begin()
    assert follower.roster.shadow
    shadow.fault = NoVersionError("tiny@challenger: no such version")
    roster = follower._ask()
    assert roster.shadow is None and not roster.unreachable_since
    shadow.fault = ConfigError("it does not answer")
    assert follower._ask().unreachable_since and follower._ask().shadow
    shadow.fault = None
    assert follower._ask().shadow and not follower._ask().unreachable_since
