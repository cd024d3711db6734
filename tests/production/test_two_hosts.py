"""Two hosts that share no disk: what they share is git's remote, DVC's remote, and the servers.

With a disk in common, Dask's workers on them run the stages of one run.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from flow_runs import Flow, until
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


Run = Callable[[Path, int], str]
WHERE = {name: {"cmd": f"sleep 2; ip -brief -4 address show eth0 > made_{name}", "outs": [f"made_{name}"]}
         for name in ("one", "two")}  # fmt: skip


@contextmanager
def dask_workers(box: Path, orchestration: Orchestration, *ports: int) -> Iterator[Run]:
    """Start two hosts with a worker of Dask each; yields what runs a project's flow here and returns its output."""
    from distributed import LocalCluster

    orchestration.wait("/api/health")
    environment = child_environment({"HOME": "/mnt"})
    (box / "hosts").mkdir()
    with ExitStack() as stack:
        cluster = stack.enter_context(LocalCluster(n_workers=0, host="0.0.0.0", dashboard_address=None))
        port = cluster.scheduler_address.rpartition(":")[2]
        for number, name in enumerate(("a", "b"), 1):
            host = Host(box / "hosts", name, ports, environment)
            stack.callback(host.remove)
            command = f"dask worker tcp://10.77.{number}.1:{port} --host {host.wire(number)} --nthreads 1 --no-nanny"
            worker = host.start(f"{Path(sys.executable).parent}/{command} --no-dashboard", box / f"{name}.log")
            stack.callback(lambda process: (process.terminate(), process.wait()), worker)
        until(lambda: len(cluster.scheduler.workers) == 2)

        def run(project: Path, code: int) -> str:
            here = child_environment({"PREFECT_API_URL": f"{orchestration.address}/api"})
            here["DASK_SCHEDULER"] = f"tcp://127.0.0.1:{port}"
            command = [sys.executable, "-m", "prefect_dvc", "run", "--runner", "dask"]
            result = subprocess.run(command, cwd=project, env=here, capture_output=True, text=True, check=False)
            assert result.returncode == code, result.stdout + result.stderr
            return result.stdout + result.stderr

        yield run


def test_stages_of_one_run_are_started_on_both_hosts_if_these_share_the_project(
    orchestration: Orchestration, tmp_path: Path
) -> None:
    shared = make_project(tmp_path, WHERE)
    with dask_workers(tmp_path, orchestration, orchestration.port) as run:
        run(shared, 0)
        assert "2 unchanged" in run(shared, 0)
    places = {(shared / f"made_{name}").read_text().split()[2] for name in WHERE}
    assert places == {"10.77.1.2/30", "10.77.2.2/30"}


def test_what_dask_s_workers_on_other_hosts_lack_is_named(orchestration: Orchestration, tmp_path: Path) -> None:
    there = r"workers at tcp://10.77.[12].2:\d+, tcp://10.77.[12].2:\d+ do not "
    with dask_workers(tmp_path, orchestration) as run:
        hidden = run(make_project(tmp_path / "hosts", WHERE), 2)
        cut_off = run(make_project(tmp_path, WHERE), 2)
    assert re.search(there + "see .*shared disk", hidden)
    assert re.search(there + "reach Prefect's server at .*refused; PREFECT_API_URL", cut_off)
