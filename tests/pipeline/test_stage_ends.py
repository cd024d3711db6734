"""A stage ends with the DVC that started it."""

import os

import pytest
from prefect_dvc.recovery import orphans

from gazette import __main__


def test_a_command_that_dvc_starts_follows_it_and_one_that_a_person_types_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    followed = []
    monkeypatch.setattr(orphans, "exit_with_dvc", lambda: followed.append(True))
    monkeypatch.setattr("gazette.__main__.gazette.main", lambda **options: 0)
    for environment in ({}, {"DVC_STAGE": "train", "DVC_ROOT": "/x"}):
        monkeypatch.setattr(os, "environ", environment)
        with pytest.raises(SystemExit):
            __main__.main()
    assert followed == [True]
