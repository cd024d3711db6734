"""What may not answer: a bundle that is damaged, foreign, unsigned where signing is asked, or no classifier."""

import errno
import json
import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec
from keys import write_key
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError

from gazette.cli.serve import serve
from gazette.core.bundle import Bundle
from gazette.registry import model_signature, signing, statements, versions
from gazette.serving import pull
from gazette.serving.online import follow, roster, source, supervise
from gazette.serving.online.check import check, check_signature
from gazette.serving.online.follow import Follower
from gazette.serving.online.roster import Roster
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


def test_where_a_signature_is_required_only_what_the_key_signed_answers(tmp_path: Path, bundle: Path) -> None:
    """A follower of a folder begins once the signature that `gazette pull` writes beside it is by the key."""
    key = write_key(tmp_path / "key.pem", ec.derive_private_key(7, ec.SECP256R1()))
    follower = Follower(tmp_path, source.Folder(bundle, "tiny"), None, "", (str(key.with_suffix(".pub")),))
    with pytest.raises(ConfigError, match=r"it has no signature, expected that of .*key\.pub"):
        follower.begin()
    signature = model_signature.sign(bundle, "tiny", key)
    bundle.with_name("bundle.sig").write_text(signing.text(signature))
    follower.begin()
    assert follower.roster.main.name == "tiny"
    stranger = write_key(tmp_path / "stranger.pem", ec.derive_private_key(8, ec.SECP256R1()))
    with pytest.raises(ConfigError, match="it is not signed by"):
        check_signature(signature, bundle, [str(stranger)])


def test_the_signature_of_a_version_is_that_of_its_tag(monkeypatch: pytest.MonkeyPatch, bundle: Path) -> None:
    monkeypatch.setattr(versions, "require_registry", lambda _: None)
    monkeypatch.setattr(statements, "fetch_record", lambda *parts: dict(enumerate(parts)))
    assert source.Registry("tiny/3").fetch_signature(wanted(bundle)) == {0: "tiny", 1: "3", 2: "signature"}


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

    def fetch(self, _: Wanted, box: Path) -> Path:
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


def test_a_shadow_may_come_after_the_start(tmp_path: Path, bundle: Path) -> None:
    main, shadow = Source(bundle), Source(bundle)
    shadow.fault = NoVersionError("tiny@challenger: no such version")
    follower = Follower(tmp_path, main, shadow, "")
    follower.begin()
    assert follower.roster.shadow is None
    shadow.fault = None
    assert follower._ask().shadow


def test_a_version_is_refused_as_long_as_it_is_named(tmp_path: Path, bundle: Path) -> None:
    main = Source(bundle)
    follower = Follower(tmp_path, main, None, "")
    follower.begin()
    right = main.wanted
    main.wanted = replace(right, version="4", digest="0" * 32 + ".dir")
    assert list(follower._ask().refused) == ["tiny/4"]
    main.wanted = right
    follower.roster = follower._ask()
    assert follower.roster.refused == {}


def test_a_full_disk_is_tried_again(tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main = Source(bundle)
    follower = Follower(tmp_path, main, None, "")
    follower.begin()
    main.wanted = replace(main.wanted, version="4")
    calls: list[str] = []

    def write(folder: Path, new: Roster) -> None:
        calls.append(new.main.version)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        stop.set()

    stop = threading.Event()
    monkeypatch.setattr(roster, "write", write)
    monkeypatch.setattr(follow, "POLL_SECONDS", 0.01)
    follower.run(stop)
    assert calls == ["4", "4"] and follower.roster.main.version == "4"


def test_a_folder_is_served_by_a_copy_once_its_files_are_quiet(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "QUIET_SECONDS", 0.2)
    folder = source.Folder(bundle, "tiny")
    first = folder.find()
    copy = folder.fetch(first, tmp_path)
    (bundle / "bundle.json").write_text((bundle / "bundle.json").read_text() + " ")
    assert folder.find() == first  # perhaps more files will follow
    time.sleep(0.3)
    assert folder.find().digest == hashing.dvc_hash(bundle) != first.digest == hashing.dvc_hash(copy)


def test_a_folder_that_is_not_as_it_was_pinned_is_no_version(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = {"name": "tiny", "version": "3", "digest": hashing.dvc_hash(bundle), "revision": "", "ledger": "f" * 64}
    (bundle.parent / pull.PULL_LOCK).write_text(json.dumps({"folders": {"bundle": pin}}))
    folder = source.Folder(bundle, "news")
    assert (folder.find().version, folder.find().ledger) == ("3", "f" * 64)
    (bundle / "model.onnx").write_bytes(b"damaged")
    monkeypatch.setattr(source, "QUIET_SECONDS", 0.0)
    with pytest.raises(ConfigError, match=r"pins bundle to .* `gazette pull --locked`"):
        folder.find()


@pytest.mark.parametrize(("word", "name"), [(".", "bundle"), (b"caf\xe9\n", "caf\\udce9\\n")])
def test_a_folder_is_called_by_its_own_name_in_characters_that_can_be_shown(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, word: str | bytes, name: str
) -> None:
    names: list[str] = []
    monkeypatch.chdir(bundle)
    monkeypatch.setattr(supervise, "serve", lambda settings, sources, *_: names.append(sources[0].name))
    assert CliRunner().invoke(serve, ["--folder", os.fsdecode(word)]).exit_code == 0
    assert names == [name]
