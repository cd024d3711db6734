"""How TensorFlow is started."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_it_starts_without_a_word_and_twice() -> None:
    code = "from gazette.training.networks import runtime; runtime.start(1, 2, True); runtime.start(1, 2, True)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
