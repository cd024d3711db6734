"""compose.yaml: valid, without a secret, each service healthy before another needs it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from root import ROOT
from ruamel.yaml import YAML

import gazette

COMPOSE = ROOT / "compose.yaml"
PROJECT = YAML(typ="safe", pure=True).load(COMPOSE)
SERVICES: dict[str, dict[str, Any]] = PROJECT["services"]
SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN|CREDENTIAL")
OURS = {name for name, service in SERVICES.items() if "build" in service}
BY_IMAGE = {"worker", "serve"}  # their health check is the image's


def test_it_is_a_compose_file() -> None:
    linter = Path(sys.executable).with_name("check-jsonschema")
    words = [linter, "--builtin-schema", "vendor.compose-spec", COMPOSE]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_compose_refuses_to_start_without_each_secret_and_git_ignores_the_file_that_has_them() -> None:
    secrets = {
        (name, variable): value
        for name, service in SERVICES.items()
        for variable, value in service.get("environment", {}).items()
        if SECRET.search(variable) and value is not None  # without a value, it passes from outside
    }
    assert {value[2:].partition(":")[0] for value in secrets.values()} == {
        "POSTGRES_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY",
    }  # fmt: skip
    assert all(re.fullmatch(r"\$\{\w+:\?.+\}", value) for value in secrets.values()), secrets
    assert "/.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_no_secret_is_on_a_command_line_or_in_an_address() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    assert re.findall(r"://[^/\s\"']*:[^/\s\"'0-9][^/\s\"']*@", text) == []
    words = [str(word) for service in SERVICES.values() for word in service.get("command", [])]
    assert [word for word in words if re.search(r"\$\{?(?:POSTGRES_PASSWORD|S3_)", word)] == []


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_version_and_ours_the_version_of_this_package(name: str) -> None:
    tag = SERVICES[name]["image"].partition(":")[2]
    assert tag == gazette.__version__ if name in OURS else re.match(r"\d+[.\d]*", tag), tag


@pytest.mark.parametrize("name", SERVICES)
def test_a_port_is_this_machine_s_alone(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_images_write_to_volumes_and_tmp_alone_and_have_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["tmpfs"] == ["/tmp:mode=1777"]
    assert service["security_opt"] == ["no-new-privileges:true"] and "user" not in service


def test_what_stays_up_has_a_health_check_and_what_ends_is_waited_for() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            once = SERVICES[needed]["restart"] == "no"
            assert how["condition"] == ("service_completed_successfully" if once else "service_healthy"), (name, needed)
        if service["restart"] != "no" and name not in BY_IMAGE:
            assert service["healthcheck"]["test"][0] == "CMD", name


def test_a_host_in_an_address_is_a_service_that_is_waited_for() -> None:
    for name, service in SERVICES.items():
        values = [str(value) for value in [*service.get("environment", {}).values(), *service.get("command", [])]]
        hosts = {host for value in values for host in re.findall(r"(?:://|@)([a-z]+)[:/]", value)} & set(SERVICES)
        waited, pending = {name}, [*service.get("depends_on", {})]
        while pending:
            waited.add(needed := pending.pop())
            pending += SERVICES[needed].get("depends_on", {})
        assert hosts <= waited, name


def test_every_volume_and_configuration_is_declared_and_used() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(PROJECT["volumes"])
    sources = {config["source"] for service in SERVICES.values() for config in service.get("configs", [])}
    assert sources == set(PROJECT["configs"])


def test_scripts_in_it_can_be_parsed_and_name_files_that_exist() -> None:
    compile(SERVICES["buckets"]["command"][2], "buckets", "exec")
    script = SERVICES["project"]["command"][2].replace("$$", "$")
    ended = subprocess.run(["/bin/sh", "-n", "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    (automation,) = re.findall(r"--from-file (\S+)", script)
    deployments = YAML(typ="safe", pure=True).load(ROOT / "prefect.yaml")["deployments"]
    pools = {deployment["work_pool"]["name"] for deployment in deployments}
    assert (ROOT / automation).is_file() and pools == {re.findall(r"work-pool create (\S+)", script)[0]}
