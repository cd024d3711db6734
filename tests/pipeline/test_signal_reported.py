"""What a signal that ended a stage means, where Gazette reports it."""

import sys
from pathlib import Path

from prefect_dvc.execution import signals
from projects import make_project, shell

from gazette.evaluation.ci.review import failure_reason


def test_a_run_in_process_says_so_too(tmp_path: Path) -> None:
    root = make_project(tmp_path, {"crash": {"cmd": "kill -SEGV $$"}})
    program = "from gazette.pipeline.repro import reproduce; result = reproduce(); print(result.code, result.message)"
    output = shell(root, f"'{sys.executable}' -c '{program}' 2>/dev/null")
    assert "139 failed to reproduce 'crash'" in output
    assert output.endswith(signals.explain_exit(139))


def test_the_comment_on_a_change_says_it_rather_than_the_last_line() -> None:
    lines = ["Running stage", "gazette: warning: x", "ERROR: failed to reproduce 'head'", signals.explain_exit(139), ""]
    assert failure_reason(lines) == signals.explain_exit(139)
