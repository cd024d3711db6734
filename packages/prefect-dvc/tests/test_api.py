"""`from prefect_dvc import …`: flows of one's own around a DVC project."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flow_runs import Flow
from projects import ask_remote, copy_stage, make_published, push_params, shell

Make = Callable[..., Path]

NIGHTLY = """\
from prefect_dvc import dvc_flow

@dvc_flow(name="every night", retries=0, variables=lambda root: {"WORD": root.name}, links=lambda root: {"docs": "x"})
def nightly(run_stages):
    "Do as every night."
    print("before")
    print([(outcome.stage, outcome.state) for outcome in run_stages()])

if __name__ == "__main__":
    state = nightly(return_state=True)
    print(state.type.value, nightly.name, "|", nightly.description)
"""
SCHEDULED = """\
from prefect_dvc import dvc_flow, scheduled_dvc_flow

@dvc_flow
def stages(run_stages):
    run_stages()

@scheduled_dvc_flow(stages=stages)
def retrain(run):
    print("published", (run.folder / "dvc.lock").exists(), run.root.name, run.published)

if __name__ == "__main__":
    print(retrain(return_state=True).message)
"""
WHO = {"GIT_AUTHOR_NAME": "s", "GIT_AUTHOR_EMAIL": "s@example.org"}
WHO |= {"GIT_COMMITTER_NAME": "s", "GIT_COMMITTER_EMAIL": "s@example.org"}


def test_the_package_imports_neither_dvc_nor_prefect_until_a_flow_is_asked_for() -> None:
    program = (
        "import sys, prefect_dvc, prefect_dvc.git, prefect_dvc.locks, prefect_dvc.connection, prefect_dvc.hashing; "
        "print({'dvc', 'prefect'} & set(sys.modules))"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "set()\n"
    )


def test_another_name_is_no_attribute() -> None:
    import prefect_dvc

    with pytest.raises(AttributeError, match="no attribute 'flows_of_mine'"):
        _ = prefect_dvc.flows_of_mine


@pytest.mark.slow
def test_a_decorated_function_runs_around_the_stages(flow: Flow, dvc_project: Make) -> None:
    stages = {"a": copy_stage("a", "raw", then='test "$WORD" = project')}
    root = dvc_project(stages, raw="1\n", nightly__py=NIGHTLY)
    output = flow(root, "-m", "nightly")
    assert output.index("before") < output.index("[('a', 'ran')]")
    assert "COMPLETED every night | Do as every night." in output
    assert "docs: [x](x)" in flow.page()


@pytest.mark.slow
def test_it_fails_if_a_stage_does_whatever_the_function_returns(flow: Flow, dvc_project: Make) -> None:
    root = dvc_project({"a": {"cmd": "exit 5"}}, nightly__py=NIGHTLY)
    output = flow(root, "-m", "nightly")
    assert "[('a', 'failed')]" in output and "FAILED every night" in output


@pytest.mark.slow
def test_a_deployment_names_the_function_in_its_own_file(flow: Flow, dvc_project: Make) -> None:
    root = dvc_project({"a": copy_stage("a", "raw")}, raw="1\n", nightly__py=NIGHTLY)
    program = "from nightly import nightly; d = nightly.to_deployment('n'); print(d.entrypoint, d.flow_name)"
    assert "nightly.py:nightly every night" in flow(root, "-c", program, PYTHONPATH=str(root))


@pytest.mark.slow
def test_a_scheduled_flow_publishes_and_then_calls_the_function(flow: Flow, tmp_path: Path) -> None:
    root = make_published(tmp_path)
    push_params(root)
    (root / "scheduled.py").write_text(SCHEDULED)
    before = shell(root, "git rev-parse HEAD")
    output = flow(root, "-m", "scheduled", **WHO)
    assert "published True project " in output and output.strip().endswith("on main")
    assert ask_remote(root, "git log -1 --format=%an main") == "s"
    assert shell(root, "git rev-parse HEAD") == before
