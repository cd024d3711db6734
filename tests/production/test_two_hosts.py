"""Two hosts that share no disk: what they share is git's remote, DVC's remote, and the servers."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flow_runs import Flow
from hosts import Host, can_part
from prefect_dvc.environment import child_environment
from projects import PUBLISHED, make_project
from real_servers import ObjectStorage, Orchestration, Server, free_port
from root import ROOT

pytestmark = [
    pytest.mark.servers,
    pytest.mark.slow,
    pytest.mark.skipif(not can_part(), reason="namespaces need root, iproute2 and util-linux"),
]

WHO = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
RETRAIN = "from flows.retrain import retrain; print(retrain(return_state=True).message)"
Hosts = tuple[Host, Host]


@pytest.fixture
def hosts(storage: ObjectStorage, orchestration: Orchestration, tmp_path: Path) -> Iterator[Hosts]:
    """Two hosts, each with a clone of a project whose stages ran on neither."""
    port = free_port()
    root = make_project(tmp_path, PUBLISHED, params__yaml="seed: 7\n", raw="1\n")
    environment = child_environment({**storage.variables, **WHO, "PYTHONPATH": str(ROOT)})
    publish = (
        "git branch -M main && git rm -q --cached raw && echo /raw >> .gitignore && dvc add -q raw && "
        "dvc remote add -q -d store s3://dvc/hosts && dvc push -q && git add -A && git commit -qm raw && "
        "git clone -q --bare . ../served/origin.git"
    )
    subprocess.run(publish, shell=True, cwd=root, env=environment, check=True, capture_output=True)
    words = ["--base-path=" + str(tmp_path / "served"), "--export-all", "--enable=receive-pack", "--listen=127.0.0.1"]
    git = Server(["git", "daemon", "--reuseaddr", f"--port={port}", *words], port, tmp_path / "served", environment)
    git.wait_for(git.listens)
    orchestration.wait("/api/health")
    environment |= {"PREFECT_API_URL": f"{orchestration.address}/api"}
    (tmp_path / "hosts").mkdir()
    ports = [port, storage.port, orchestration.port]
    environment |= {"HOME": "/mnt", "PREFECT_HOME": "home"}
    with ExitStack() as stack:
        stack.callback(git.stop)
        both = []
        for name in ("a", "b"):
            both.append(Host(tmp_path / "hosts", name, ports, environment))
            stack.callback(both[-1].remove)
            both[-1](f"git clone -q git://127.0.0.1:{port}/origin.git project")
        yield both[0], both[1]


def retrain(host: Host) -> str:
    """Run what a worker runs, and return the message of its state."""
    return host(f'cd project && python -c "{RETRAIN}" 2>/dev/null').strip()


def test_hosts_see_neither_each_other_s_files_nor_the_network(hosts: Hosts) -> None:
    a, b = hosts
    assert a(f"ls {a.box}").split() == ["a"] and b(f"ls {b.box}").split() == ["b"]
    assert "127.0.0.1" not in a("ip -brief route")


def test_a_scheduled_run_on_each_shares_results_by_the_remotes_alone(
    hosts: Hosts, orchestration: Orchestration
) -> None:
    a, b = hosts
    assert retrain(a).endswith(" on main")
    assert retrain(b) == "nothing new for main: nothing changed"
    b("cd project && git pull -q && sed -i s/7/8/ params.yaml && git commit -qam params && git push -q")
    assert retrain(b).endswith(" on main")
    a("cd project && git pull -q && dvc pull -q && dvc status | grep -q 'up to date'")
    assert (a.folder / "project" / "made_train").read_text() == "1\n8\n"
    log = a("cd project && git log -2 --format=%B")
    assert "Retrained: train\n" in log and "Stages-Run: train" in log  # `start` came from host a's cache, by S3
    runs = Flow(f"{orchestration.address}/api", a.folder).ask("flow_runs", sort="START_TIME_DESC")
    states = [run["state_type"] for run in runs if run["start_time"]]
    assert set(states[:6]) == {"COMPLETED"}  # a retraining and its pipeline, three times


@pytest.mark.parametrize(
    ("gone", "message"), [(0, "the git remote origin of .* failed"), (1, "DVC's remote store at s3://dvc/hosts failed")]
)
def test_what_a_host_lacks_is_named_at_the_start(hosts: Hosts, gone: int, message: str) -> None:
    a, _ = hosts
    a.links[gone].close()
    assert re.search(message, retrain(a))
