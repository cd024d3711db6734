"""Claims that a revision was made again: k of n verifiers, each counted once, and only for these bytes."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from keys import write_key
from prefect_dvc import git
from prefect_dvc.core.errors import ConfigError
from projects import SOMEBODY, make_published, shell

from gazette.cli import app
from gazette.lineage.proof import provenance, verifiers
from gazette.registry import signing

NAMES = ("ada", "grace", "alan")
MACHINE = {"one": {"system": "Linux x86_64"}}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_published(tmp_path_factory.mktemp("verifiers"))
    for number, name in enumerate(NAMES):
        write_key(root.parent / f"{name}.pem", Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))
    return root


@pytest.fixture
def project(published: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A revision without statements, in this folder."""
    monkeypatch.chdir(published)
    commit = git.resolve_commit("HEAD")
    yield published
    shell(published, f"git reset -q --hard {commit} && rm -rf statements")


def claim(name: str, alter: Callable[[dict[str, Any]], object] = lambda _: None, key: str = "") -> Path:
    """Write the claim of a verifier as `gazette reproduce --sign` does, perhaps altered before it is signed."""
    private = Path(f"../{key or name}.pem")
    state = provenance.make_statement(Path(), git.resolve_commit("HEAD"), {}, None)
    record = provenance.make_claim(state, signing.key_id(Path(f"../{name}.pem")), MACHINE, "this one")
    alter(record)
    path = Path(f"statements/tiny.{name}.json")
    provenance.write_statement(record, path, private)
    return path


def publics(*names: str) -> list[Path]:
    return [Path(f"../{name}.pub") for name in names]


def count(*keys: Path) -> list[str]:
    paths = sorted(Path("statements").glob("*.json"))
    return [path.stem for path in verifiers.list_verifiers(paths, keys)]


def verify(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app.gazette, ["verify", *words])
    return result.exit_code, result.output


def test_two_of_three_verifiers_suffice_where_two_are_required(project: Path) -> None:
    claim("ada")
    keys = [word for path in publics(*NAMES) for word in ("--key", str(path))]
    code, output = verify("--require", "2", *keys)
    assert code == 3
    assert "statements: 1 of 2 required verifiers made this revision again (../ada.pub); another one runs" in output
    claim("alan")
    assert verify("--require", "2", *keys) == (0, "everything is as recorded\n")
    assert verify("--require", "3", *keys)[0] == 3


def test_a_verifier_counts_once(project: Path) -> None:
    path = claim("ada")
    path.with_name("copy.json").write_bytes(path.read_bytes())
    assert count(*publics("ada"), Path("../ada.pem")) == ["ada"]
    with pytest.raises(ConfigError, match="2 verifiers are required, and there are 1 keys"):
        verifiers.verifier_faults([path], [*publics("ada"), Path("../ada.pem")], 2)


FALSE: dict[str, Callable[[dict[str, Any]], object]] = {
    "another digest": lambda record: record["subject"][0]["digest"].update(sha256="0" * 64),
    "one output less": lambda record: record["subject"].pop(),
    "another material": lambda record: record["predicate"]["materials"][1]["digest"].update(sha256="0" * 64),
    "another verifier": lambda record: record["predicate"]["verifier"].update(id="0" * 64),
    "another result": lambda record: record["predicate"].update(result="similar"),
    "another method": lambda record: record["predicate"].update(method="urn:other"),
    "another predicate": lambda record: record.update(predicateType="urn:other"),
    "an unknown revision": lambda record: record["predicate"]["materials"][0]["digest"].update(gitCommit="0" * 40),
    "no verifier": lambda record: record["predicate"].update(verifier="ada"),
    "no machine": lambda record: record["predicate"].update(machine=["ada"]),
}


@pytest.mark.parametrize("what", list(FALSE))
def test_a_claim_that_states_anything_else_does_not_count_and_is_named(project: Path, what: str) -> None:
    path = claim("ada", FALSE[what])
    assert count(*publics(*NAMES)) == []
    assert verify("--key", "../ada.pub")[0] == (0 if what == "another verifier" else 3)
    if what != "another verifier":  # that claim holds, for somebody whose key is not here
        code, output = verify()
        assert code == 3 and f"{path}: " in output


def test_a_claim_in_anothers_name_does_not_count(project: Path) -> None:
    claim("ada", key="alan")
    assert count(*publics(*NAMES)) == []


def test_a_strangers_claim_neither_counts_nor_disturbs(project: Path) -> None:
    claim("grace")
    state = provenance.make_statement(Path(), git.resolve_commit("HEAD"), MACHINE, None)
    provenance.write_statement(state, Path("statements/tiny.json"), Path("../ada.pem"))
    assert verify("--key", "../ada.pub") == (0, "everything is as recorded\n")
    claim("ada", key="alan")
    assert "tiny.ada.json: its signature is not that of ../ada.pub" in verify("--key", "../ada.pub")[1]


def test_a_statement_of_a_rebuild_is_no_claim(project: Path) -> None:
    facts = {"identical": True, "environment": "this one"}
    state = provenance.make_statement(Path(), git.resolve_commit("HEAD"), MACHINE, facts)
    provenance.write_statement(state, Path("statements/tiny.json"), Path("../ada.pem"))
    assert count(*publics("ada")) == []


def test_a_claim_holds_for_a_commit_with_the_same_lock_and_for_no_other(project: Path) -> None:
    claim("ada")
    shell(project, f"git add -A && git {SOMEBODY} commit -qm claimed")
    assert count(*publics("ada")) == ["ada"]
    shell(project, f"sed -i s/seed/number/ dvc.lock && git add -A && git {SOMEBODY} commit -qm other")
    assert count(*publics("ada")) == []


def test_a_malformed_claim_on_another_lock_is_named(project: Path) -> None:
    claim("ada", FALSE["no verifier"])
    shell(project, f"sed -i s/seed/number/ dvc.lock && git add -A && git {SOMEBODY} commit -qm later")
    assert "statements/tiny.ada.json: not a statement: " in verify("--key", "../ada.pub")[1]


def test_the_policy_of_params_names_verifiers(project: Path) -> None:
    claim("ada")
    policy = "trust: {verifiers: [../ada.pub, ../grace.pub], require: 2}\n"
    Path("params.yaml").write_text(Path("params.yaml").read_text() + policy)
    shell(project, f"git add -A && git {SOMEBODY} commit -qm policy")  # which the claim is older than
    code, output = verify()
    assert code == 3 and output.startswith("statements: 1 of 2 required verifiers made this revision again")
    assert verify("--require", "0") == (0, "everything is as recorded\n")
    Path("params.yaml").write_text("seed: 7\ntrust: {require: two}\n")
    result = CliRunner().invoke(app.gazette, ["verify"])
    assert isinstance(result.exception, ConfigError) and "section trust: require" in str(result.exception)


@pytest.mark.slow
@pytest.mark.usefixtures("warm_commands")
def test_two_owners_of_keys_make_it_again_and_both_claims_stay(project: Path) -> None:
    for name in ("ada", "grace"):
        result = CliRunner().invoke(app.gazette, ["reproduce", "--sign", f"../{name}.pem"], env=dict(os.environ))
        assert result.exit_code == 0, result.output
    keys = [word for path in publics("ada", "grace") for word in ("--key", str(path))]
    assert verify("--require", "2", *keys) == (0, "everything is as recorded\n")
    paths = sorted(Path("statements").iterdir())
    signers = [path for path in paths if signing.verify(json.loads(path.read_text()), Path("../ada.pub")) == []]
    assert (len(paths), len(signers)) == (3, 2)  # the statement is the first one's, and stays
