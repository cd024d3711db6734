"""The command that answers over HTTP."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from prefect_dvc.core.escape import escape

from gazette.cli import journal as journals
from gazette.cli import options, project, trust

if TYPE_CHECKING:
    from gazette.serving.online.source import Folder

OPTIONS = [
    click.argument("model", required=False),
    click.option("--folder", type=options.PATH, help="A bundle, as `gazette pull` keeps it; needs no MLflow."),
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at."),
    click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0: a free one."),
    click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes, one per core."),
    click.option("--shadow", metavar="MODEL", help="A second version, which answers aside and is compared."),
    click.option("--canary", default=0.0, show_default=True, type=click.FloatRange(0, 1),
                 help="Share of the requests that the shadow answers instead."),
    click.option("--key", type=options.PATH, help="Public key; only versions with a statement signed by it answer."),
    trust.SIGNERS,
    click.option("--tokens", type=options.PATH, help="File with the SHA-256 of a token on each line.  "
                 "[default: those in GAZETTE_TOKENS; without any, everybody may ask]"),
    click.option("--requests-per-second", default=0.0, type=click.FloatRange(0), help="Of a token.  [default: any]"),
    click.option("--max-bytes", default=1 << 20, show_default=True, type=click.IntRange(1), help="Of a body."),
    click.option("--max-texts", default=256, show_default=True, type=click.IntRange(1), help="Of a request."),
    click.option("--max-characters", default=100_000, show_default=True, type=click.IntRange(1), help="Of a text."),
    click.option("--queue", default=1_024, show_default=True, type=click.IntRange(1), help="Texts that may wait."),
    click.option("--deadline", default=2.0, show_default=True, type=click.FloatRange(0, min_open=True),
                 help="Seconds from request to answer."),
    click.option("--grace", default=20.0, show_default=True, type=click.FloatRange(0),
                 help="Seconds for requests under way, after SIGTERM."),
    click.option("--feedback", default="feedback", show_default=True, type=click.Path(file_okay=False),
                 help="Folder for corrections."),
    *journals.OPTIONS,
    click.option("--tls-cert", type=options.PATH, help="Certificate, PEM."),
    click.option("--tls-key", type=options.PATH, help="Its private key, PEM."),
]  # fmt: skip


@click.command()
@options.add_options(OPTIONS)
def serve(
    model: str | None,
    folder: Path | None,
    host: str,
    port: int,
    workers: int,
    shadow: str | None,
    canary: float,
    key: Path | None,
    signers: tuple[Path, ...],
    tokens: Path | None,
    requests_per_second: float,
    max_bytes: int,
    max_texts: int,
    max_characters: int,
    queue: int,
    deadline: float,
    grace: float,
    feedback: str,
    journal: str,
    no_journal: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    """Answer over HTTP by MODEL, a version of the registry, by a bundle in a folder, or by the selected bundle.

    MODEL is NAME@ALIAS, NAME/VERSION or NAME (its champion). When the alias moves, the new version answers within a
    second or two; no request is lost.

    \b
    Examples:
      gazette serve
      gazette serve bbc_news@champion --port 8080 --workers 2
      gazette serve --folder models/news --tokens tokens.txt
      gazette serve bbc_news --shadow bbc_news@challenger --canary 0.05
    """
    from gazette.pipeline import inheritance
    from gazette.serving.online import access, supervise, tracing
    from gazette.serving.online.settings import Limits, Settings
    from gazette.serving.online.source import Registry

    if model and folder:
        raise click.UsageError("MODEL or --folder, not both")
    if not host:
        raise click.UsageError("--host is empty, which would be every address; expected one, such as 127.0.0.1")
    if not no_journal and Path(journal).is_file():
        raise click.UsageError(f"--journal {journal} is a file; expected a folder, or --no-journal")
    if key and not model:
        raise click.UsageError(
            "--key needs MODEL: signed statements are in the registry, a folder has none; serve NAME@champion instead"
        )
    if canary and not shadow:
        raise click.UsageError("--canary needs --shadow, the version that answers it")
    digests = (
        access.read_token_file(tokens)
        if tokens
        else access.read_tokens(os.environ.get(access.TOKENS, ""), access.TOKENS)
    )
    limits = Limits(max_bytes, max_texts, max_characters, queue, deadline, grace, requests_per_second)
    params = journals.read_params()
    settings = Settings(
        model or str(folder or ""), shadow or "", canary, limits, digests, str(key or ""),
        tuple(map(str, trust.list_signers(signers))), workers, feedback,
        "" if no_journal else journal, params.sample,
    )  # fmt: skip
    if bool(tls_cert) != bool(tls_key):
        raise click.UsageError("--tls-cert and --tls-key belong together")
    tracing.check()
    main = Registry(model) if model else _folder(folder)
    address = supervise.Address(host, port, str(tls_cert or ""), str(tls_key or ""))
    if not digests and host not in inheritance.LOOPBACK:
        click.echo(f"gazette: warning: without --tokens whoever reaches {host}, port {port}, may ask", err=True)
    supervise.serve(
        settings,
        (main, Registry(shadow) if shadow else None),
        address,
        params,
        lambda served, where: click.echo(
            f"{where} answers by {served.name} {served.version or served.digest}; Ctrl-C ends it", err=True
        ),
    )


def _folder(folder: Path | None) -> "Folder":
    from gazette.serving.online.source import Folder

    if folder:
        return Folder(folder, escape(folder.absolute().name))
    return Folder(project.bundle_folder(), project.params()["corpus"])
