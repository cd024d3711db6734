"""What a process inherits of the caller's environment, and what that leaves of a hostile one."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import httpx
import polars as pl
import pytest
import requests.utils
from hostile import HOSTILE, PASSED
from prefect_dvc import git_environment
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.environment import child_environment
from root import ROOT

from gazette.core import files
from gazette.pipeline import inheritance, variables

SET_OF_HOSTILE = {"OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "NPY_DISABLE_CPU_FEATURES"}
GAZETTE = [sys.executable, "-m", "gazette"]


def child(program: str, **environment: str) -> str:
    """Return the output of a program that begins as a command of ours does."""
    start = "import click, os, sys; from gazette.__main__ import main\n@click.command('x')\ndef x(): "
    command = [sys.executable, "-c", f"{start}{program}\nmain(x)"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_of_a_hostile_environment_only_what_changes_no_result_passes() -> None:
    assert inheritance.clean(HOSTILE).keys() - {"no_proxy", "NO_PROXY"} == PASSED


@pytest.mark.parametrize(
    "name",
    ["AWS_SECRET_ACCESS_KEY", "AZURE_STORAGE_CONNECTION_STRING", "GOOGLE_APPLICATION_CREDENTIALS", "SSH_AUTH_SOCK",
     "REQUESTS_CA_BUNDLE", "https_proxy", "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_S3_ENDPOINT_URL",
     "PREFECT_API_URL", "PREFECT_API_KEY", "XDG_CONFIG_HOME", "GITHUB_TOKEN", "CI", "CONDA_PREFIX", "LD_LIBRARY_PATH",
     "CUDA_VISIBLE_DEVICES", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "KRB5CCNAME", "PGPASSWORD", "GIT_SSH_COMMAND",
     "GAZETTE_NOTIFY", "_GAZETTE_COMPLETE", "DVC_EXP_NAME"],
)  # fmt: skip
def test_what_a_user_must_set_passes(name: str) -> None:
    assert inheritance.clean({name: "x"})[name] == "x"


@pytest.mark.parametrize("name", ["PREFECT_API_URL", "MLFLOW_TRACKING_URI", "XDG_CONFIG_HOME", "POLARS_MAX_THREADS"])
def test_a_variable_that_is_set_but_empty_is_not_set(name: str) -> None:
    assert name not in inheritance.clean({name: ""})
    assert child(f"print(os.environ.get('{name}'))", **{name: ""}) == "None"


@pytest.mark.parametrize("name", ["CUDA_VISIBLE_DEVICES", "GIT_CONFIG_VALUE_0"])
def test_an_empty_list_of_graphics_cards_and_an_empty_setting_of_git_mean_something(name: str) -> None:
    assert inheritance.clean({name: ""})[name] == ""


@pytest.mark.parametrize("threads", ["many", "0", "-1", "1.5"])
def test_a_number_of_threads_that_is_none_is_refused(threads: str) -> None:
    with pytest.raises(ConfigError, match=f"OMP_NUM_THREADS={threads}: expected a number"):
        inheritance.clean({"OMP_NUM_THREADS": threads})


def test_a_level_of_logging_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"MLFLOW_LOGGING_LEVEL=nonsense: expected one of CRITICAL, .* or `unset"):
        inheritance.clean({"MLFLOW_LOGGING_LEVEL": "nonsense"})
    assert inheritance.clean({"MLFLOW_LOGGING_LEVEL": "debug"})["MLFLOW_LOGGING_LEVEL"] == "debug"


def test_further_variables_pass_by_name() -> None:
    passed = inheritance.clean(
        {"GAZETTE_PASS": "MINIO_KEY, MINIO_URL", "MINIO_KEY": "1", "MINIO_URL": "2", "OTHER": "3"}
    )
    assert (passed["MINIO_KEY"], passed["MINIO_URL"], "OTHER" in passed) == ("1", "2", False)


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - PASSED - {"MPLBACKEND", "OPTUNA_STORAGE"}))
def test_a_variable_of_a_library_does_not_pass_by_name_either(name: str) -> None:
    with pytest.raises(ConfigError, match=f"GAZETTE_PASS names {name}"):
        inheritance.clean({"GAZETTE_PASS": name})


def test_a_child_has_our_settings_whatever_the_caller_has(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    environment = child_environment()
    assert inheritance.constants().items() <= environment.items()
    assert not environment.keys() & HOSTILE.keys() - PASSED - SET_OF_HOSTILE


def test_a_command_starts_again_without_what_python_read_before_it() -> None:
    program = "print(sys.flags.optimize, sys.warnoptions, sys.flags.inspect, 'LD_PRELOAD' in os.environ)"
    settings = {"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error", "PYTHONINSPECT": "1", "LD_PRELOAD": "/none.so"}
    assert child(program, **settings) == "0 [] 0 False"


# Proxies


@pytest.mark.parametrize("mine", ["", "corp.example, 10.0.0.1", "localhost"])
def test_loopback_is_exempt_from_a_proxy_and_the_users_own_list_stays(mine: str) -> None:
    environment = inheritance.clean({"HTTP_PROXY": "http://proxy:1", "NO_PROXY": mine, "no_proxy": "lower.example"})
    hosts = environment["no_proxy"].split(",")
    assert environment["NO_PROXY"] == environment["no_proxy"]
    assert {"localhost", "127.0.0.1", "::1", "lower.example", *filter(None, mine.split(", "))} == set(hosts)
    assert len(hosts) == len(set(hosts))


def test_no_proxy_for_anything_stays_so() -> None:
    assert inheritance.clean({"NO_PROXY": "*"})["no_proxy"] == "*"  # urllib knows `*` alone


@pytest.mark.parametrize("proxy", ["http://192.0.2.1:9", "socks5://192.0.2.1:9", "socks://192.0.2.1:9/"])
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_no_client_asks_a_proxy_for_loopback(proxy: str, name: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = inheritance.clean({name: proxy})
    for variable in variables.PASSED["proxies; `socks://` is read as `socks5://`"]:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    url = f"http://{host}:4200/api"
    with httpx.Client() as client:  # Prefect's
        direct = client._transport_for_url(httpx.URL(url))
        assert direct is client._transport
    assert requests.utils.get_environ_proxies(url) == {}  # MLflow's and DVC's
    if host != "[::1]":  # it compares with brackets
        assert urllib.request.proxy_bypass(f"{host}:4200")


# Bytes


@pytest.mark.slow
def test_a_hostile_environment_lets_no_bad_row_pass(
    tmp_path: Path, lay_down: Callable[..., tuple[Path, Path]], english: pl.DataFrame
) -> None:
    description, raw = lay_down(english, extra="sport,\nweather,no such label\n")
    numbers = files.read_yaml(ROOT / "params.yaml")
    numbers["validate"] |= {"max_quarantined": 1.0, "min_rows": 10, "min_rows_per_class": 1}
    (tmp_path / "params.yaml").write_text(json.dumps(numbers))
    outputs = ("validated", "quarantine", "examples", "report")
    for folder, hostile in (("usual", {}), ("hostile", HOSTILE | {"PYTHONOPTIMIZE": "1"})):
        words = ["--erased=none.jsonl", *(f"--{name}={folder}/{name}" for name in (*outputs, "docs"))]
        command = [*GAZETTE, "validate", f"--description={description}", f"--raw={raw}", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **hostile}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    usual, hostile_bytes = (
        [(tmp_path / folder / name).read_bytes() for name in outputs] for folder in ("usual", "hostile")
    )
    assert usual == hostile_bytes
    assert pl.read_parquet(tmp_path / "hostile" / "quarantine").height == 2


def test_what_passes_to_git_passes_to_stages() -> None:
    passed = {"GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_AUTHOR_NAME", "GIT_COMMITTER_DATE", "GIT_CONFIG_GLOBAL", "HOME"}
    environment = dict.fromkeys(passed | {"GIT_DIR", "GIT_INDEX_FILE"}, "x")
    assert inheritance.clean(environment).keys() - {"no_proxy", "NO_PROXY"} == passed


def test_each_variable_of_git_that_passes_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "git.md").read_text(encoding="utf-8")
    assert [name for name in git_environment.PASSED if f"`{name}`" not in page] == []
