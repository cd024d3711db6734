"""`gazette serve` as a process: TLS, its end while a request is slow, all workers at one version within a second."""

import ssl
import subprocess
import sys
import threading
import urllib.request
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flow_runs import until
from keys import write_key
from servers import Server

pytestmark = pytest.mark.slow
SLOW = """import pathlib, time
from gazette.core.bundle import Bundle
real = Bundle.encode
def slow(self, texts):
    if "slow" in texts:
        pathlib.Path("slow").touch()
        time.sleep(1)
    return real(self, texts)
Bundle.encode = slow
"""


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine, signed by its own key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


def test_over_tls_an_answer_is_for_whom_the_certificate_is(bundles: list[Path], tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    server = Server(tmp_path, "--folder", str(bundles[0]), "--tls-cert", str(certificate), "--tls-key", str(key))
    try:
        assert server.address.startswith("https://")
        trust = ssl.create_default_context(cafile=certificate)
        with urllib.request.urlopen(f"{server.address}/ping", context=trust, timeout=10) as answer:
            assert answer.status == 200
        with pytest.raises(OSError, match=r"closed|reset|bad|EOF|refused"):
            urllib.request.urlopen(server.address.replace("https", "http"), timeout=10)
    finally:
        assert server.end() == 0


def is_refused(server: Server) -> bool:
    try:
        server.ask("/ping")
    except OSError as error:
        return "refused" in str(error)
    return False


def test_at_its_end_a_slow_request_is_answered_and_a_new_one_is_not(bundles: list[Path], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW)
    words = ["--folder", str(bundles[0]), "--deadline", "10"]
    server = Server(tmp_path, *words, environment={"PYTHONPATH": str(tmp_path)})
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(server.ask("/v1/predict", {"texts": ["slow"]})[0]))
    thread.start()
    until((tmp_path / "slow").exists)
    server.process.terminate()
    until(lambda: is_refused(server))
    thread.join()
    assert answers == [200] and server.end() == 0


def test_a_request_slower_than_the_deadline_is_504_and_the_queue_is_bounded(
    bundles: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW)
    words = ["--folder", str(bundles[0]), "--deadline", "0.5", "--queue", "4"]
    server = Server(tmp_path, *words, environment={"PYTHONPATH": str(tmp_path)})
    answers: list[tuple[int, Any, Any]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(server.ask("/v1/predict", {"texts": ["slow"]})))
        for _ in range(12)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = [status for status, _, _ in answers]
        assert set(statuses) == {503, 504}, statuses
        assert all(int(headers["retry-after"]) >= 1 for status, _, headers in answers if status == 503)
        until(lambda: server.ask("/v1/predict", {"texts": ["goal"]})[0] == 200, within=10)
        assert server.ask("/health/live")[0] == 200
    finally:
        server.end()


def test_all_workers_change_within_a_second(registry: tuple[Path, Any]) -> None:
    from gazette.registry.store import client as store

    folder, client = registry
    server = Server(folder, "tiny", "--workers", "2")
    try:
        for moves, number in enumerate("21212", 1):
            began = datetime.now(UTC)
            store.set_alias(client, "tiny", "champion", number)
            until(lambda: len(server.lines("swap")) == 2 * moves)  # noqa: B023
            first, second = (datetime.fromisoformat(line["time"]) for line in server.lines("swap")[-2:])
            assert abs(second - first) < timedelta(seconds=1) and max(first, second) - began < timedelta(seconds=3)
    finally:
        server.end()


def test_a_folder_has_no_statement_that_a_key_could_have_signed(bundles: list[Path], tmp_path: Path) -> None:
    command = ["gazette", "serve", "--folder", str(bundles[0]), "--key", "public.pem"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and "signed statements are in the registry" in ended.stderr


def test_a_start_that_is_refused_ends_with_its_reason_alone(bundles: list[Path], tmp_path: Path) -> None:
    """Its workers, which may be importing still, are gone by then: one that went on would miss the server's folder."""
    key = write_key(tmp_path / "ecdsa.pem", ec.derive_private_key(7, ec.SECP256R1()))
    command = ["-m", "gazette", "serve", "--folder", bundles[0], "--port", "0", "--require-signature", key]
    ended = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("gazette: it has no signature, expected that of") and "Traceback" not in ended.stderr
