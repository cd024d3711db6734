"""Fixtures, and an environment as a person has it."""

import pytest
from bridge_fixtures import dvc_project as dvc_project
from bridge_fixtures import flow as flow
from bridge_fixtures import warm_commands as warm_commands
from bridge_fixtures import wide as wide
from hypothesis import settings

from prefect_dvc import environment, git_environment

git_environment.forget_caller()  # in a hook the tests would work on the repository of the hook

settings.register_profile("prefect_dvc", deadline=None, max_examples=50, derandomize=True, database=None)
settings.load_profile("prefect_dvc")


@pytest.fixture(autouse=True)
def no_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stages inherit what they do by default."""
    monkeypatch.delenv(environment.POLICY, raising=False)
