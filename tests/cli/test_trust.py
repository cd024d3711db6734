"""The policy of whom to trust: from params.yaml, or from the command line instead, and nobody in an empty folder."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from prefect_dvc.core.errors import ConfigError

from gazette.cli import app, trust
from gazette.serving import pull
from gazette.serving.online import settings, supervise
from gazette.serving.online.source import Registry

KEY = Path("team.pub.pem")
POLICY = "corpus: tiny\ntrust: {require_signature: [ours.pem], verifiers: [a.pem, b.pem], require: 2}\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_params_nobody_is_required() -> None:
    assert trust.list_signers(()) == [] and trust.list_verifiers(None, ()) == (0, [])
    Path("params.yaml").write_text("corpus: tiny\n")  # as an earlier project has it
    assert trust.list_signers(()) == [] and trust.list_verifiers(None, ()) == (0, [])


def test_the_command_line_replaces_the_policy() -> None:
    Path("params.yaml").write_text(POLICY)
    assert trust.list_signers(()) == [Path("ours.pem")]
    assert trust.list_signers((KEY,)) == [KEY]
    assert trust.list_verifiers(None, ()) == (2, [Path("a.pem"), Path("b.pem")])
    assert trust.list_verifiers(1, (KEY,)) == (1, [KEY])
    assert trust.list_verifiers(1, ()) == (1, [Path("a.pem"), Path("b.pem")])
    assert trust.list_verifiers(None, (KEY,)) == (2, [Path("a.pem"), Path("b.pem")])


@pytest.mark.parametrize(
    "section", ["[ours.pem]", "{signers: [a.pem]}", "{require_signature: ours.pem}", "{require: -1}"]
)
def test_a_policy_of_another_form_is_refused(section: str) -> None:
    Path("params.yaml").write_text(f"corpus: tiny\ntrust: {section}\n")
    with pytest.raises(ConfigError, match=r"params\.yaml, section trust"):
        trust.read_params()


@pytest.mark.parametrize("words", [["tiny@champion", "--to", "models/news"], ["--locked"]])
def test_pull_requires_what_the_policy_does(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    Path("params.yaml").write_text(POLICY)
    required: list[object] = []
    pin = pull.Pin("tiny", "1", "d" * 32, "", "")
    monkeypatch.setattr(pull, "pull", lambda name, to, signers: required.append(signers) or pin)
    monkeypatch.setattr(pull, "pull_locked", lambda signers: required.append(signers) or {"models/news": pin})
    for more in ([], ["--require-signature", str(KEY)]):
        assert CliRunner().invoke(app.gazette, ["pull", *words, *more], catch_exceptions=False).exit_code == 0
    assert required == [[Path("ours.pem")], [KEY]]


def test_a_server_and_its_workers_require_what_the_policy_does(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("params.yaml").write_text(POLICY)
    monkeypatch.setattr(Registry, "__init__", lambda self, reference: None)

    def serve(options: settings.Settings, *_: object) -> None:
        settings.write(Path(), options)

    monkeypatch.setattr(supervise, "serve", serve)
    CliRunner().invoke(app.gazette, ["serve", "tiny@champion"], catch_exceptions=False)
    assert settings.read(Path()).signers == ("ours.pem",)
