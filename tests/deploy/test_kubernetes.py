"""Values of others' charts, the work pool and the Deployment: versions of the lock, no rights, nothing undefined."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from root import ROOT
from ruamel.yaml import YAML

import gazette
from gazette.pipeline import environment

DEPLOY = ROOT / "deploy"
VERSIONS = environment.read_versions((ROOT / "requirements.lock").read_text(encoding="utf-8"))
POOL = json.loads((DEPLOY / "work-pool.json").read_text(encoding="utf-8"))
FILES = [*sorted(DEPLOY.glob("*.values.yaml")), DEPLOY / "serve.yaml", DEPLOY / "work-pool.json"]
PREFECT_YAML = YAML(typ="safe", pure=True).load(ROOT / "prefect.yaml")


def documents(path: Path) -> list[Any]:
    return list(YAML(typ="safe", pure=True).load_all(path))


def strings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string with the key, or the name of the variable, that it belongs to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(inner, str(value["name"]) if key == "value" and "name" in value else key)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner, name)
    elif isinstance(value, str):
        yield name, value


@pytest.mark.parametrize(
    ("file", "keys", "package", "pattern"),
    [
        ("mlflow", ("image", "tag"), "mlflow", "v{}-full"),
        ("prefect-server", ("global", "prefect", "image", "prefectTag"), "prefect", "{}-python3.11"),
        ("prefect-worker", ("worker", "image", "prefectTag"), "prefect", "{}-python3.11-kubernetes"),
    ],
)
def test_a_server_has_the_version_of_the_lock(file: str, keys: tuple[str, ...], package: str, pattern: str) -> None:
    (value,) = documents(DEPLOY / f"{file}.values.yaml")
    for key in keys:
        value = value[key]
    assert value == pattern.format(VERSIONS[package])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_our_images_have_this_version_and_no_value_is_a_secret(path: Path) -> None:
    for name, value in (pair for document in documents(path) for pair in strings(document)):
        if "/gazette-" in value and ":" in value:
            assert value.endswith(f":{gazette.__version__}")
        assert not re.search(r"^password$|^authString$|^[A-Z_]*(?:PASSWORD|SECRET|TOKEN|KEY)", name), name
        assert not re.search(r"://[^/]*:[^/]*@", value), value


def test_every_variable_of_the_job_is_defined_and_so_is_what_prefect_yaml_sets() -> None:
    used = set(re.findall(r"{{ (\w+) }}", json.dumps(POOL["job_configuration"])))
    assert used == set(POOL["variables"]["properties"])
    assert set(PREFECT_YAML["definitions"]["work_pool"]["job_variables"]) <= used


def test_the_worker_polls_the_pool_of_prefect_yaml() -> None:
    (values,) = documents(DEPLOY / "prefect-worker.values.yaml")
    assert values["worker"]["config"]["workPool"] == PREFECT_YAML["definitions"]["work_pool"]["name"]


def test_every_container_runs_without_rights_on_a_read_only_root() -> None:
    deployment = documents(DEPLOY / "serve.yaml")[0]
    for pod in (
        POOL["job_configuration"]["job_manifest"]["spec"]["template"]["spec"],
        deployment["spec"]["template"]["spec"],
    ):
        assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] and context["capabilities"] == {"drop": ["ALL"]}
            assert not context["allowPrivilegeEscalation"]
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes


def test_the_service_selects_the_pods_and_probes_ask_for_routes_that_exist() -> None:
    deployment, claim, service = documents(DEPLOY / "serve.yaml")
    pod = deployment["spec"]["template"]
    assert service["spec"]["selector"] == pod["metadata"]["labels"] == deployment["spec"]["selector"]["matchLabels"]
    (container,) = pod["spec"]["containers"]
    routes = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert routes == {"/health/ready", "/health/live"}
    volumes = [volume for volume in pod["spec"]["volumes"] if "emptyDir" not in volume]
    assert [volume["persistentVolumeClaim"]["claimName"] for volume in volumes] == [claim["metadata"]["name"]]
