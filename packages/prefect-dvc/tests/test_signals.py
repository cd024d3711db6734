"""A stage that a signal ended says which one, and what it likely means."""

import re
import sys
from pathlib import Path

import pytest
from projects import make_project

from prefect_dvc.execution import signals
from prefect_dvc.execution.run import run_stage


@pytest.mark.parametrize(
    ("code", "words"),
    [(-11, "SIGSEGV: a crash in native code"), (139, "SIGSEGV"), (137, "SIGKILL: .* ran out of memory"),
     (-4, "SIGILL: .*instruction"), (-7, "SIGBUS"), (-6, "SIGABRT"), (152, "SIGXCPU: .*processor time"),
     (143, "SIGTERM"), (129, "SIGHUP: its terminal was closed")],
)  # fmt: skip
@pytest.mark.skipif(sys.platform != "linux", reason="other systems number signals otherwise")
def test_a_code_names_its_signal_and_what_it_likely_means(code: int, words: str) -> None:
    assert re.fullmatch(rf"ended by signal \d+, {words}.*", signals.explain_exit(code))


@pytest.mark.parametrize("code", [0, 1, 2, 3, 70, 124, 128, 255])
def test_other_codes_name_no_signal(code: int) -> None:
    assert signals.explain_exit(code) == ""
    assert signals.append_signal("it failed", code) == "it failed"


def test_a_stage_that_crashes_says_so(tmp_path: Path) -> None:
    root = make_project(tmp_path, {"crash": {"cmd": "kill -SEGV $$"}, "fail": {"cmd": "exit 3"}})
    crashed, failed = (run_stage(root, stage, lambda line: None) for stage in ("crash", "fail"))
    assert crashed.code == 139
    assert crashed.message.endswith("\n" + signals.explain_exit(139))
    assert failed.code == 3
    assert "signal" not in failed.message
