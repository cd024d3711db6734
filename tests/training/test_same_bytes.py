"""What is set before a command begins, so that its bytes depend on the machine as little as can be."""

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """\
import sys, click
from gazette.__main__ import main

@click.command()
def command():
    assert "numpy" not in sys.modules
    import numpy, threadpoolctl
    from numpy._core._multiarray_umath import __cpu_features__
    print({one["architecture"] for one in threadpoolctl.threadpool_info() if one["internal_api"] == "openblas"})
    print(*(name for name in ("X86_V4", "AVX512_ICL", "AVX512_SPR") if __cpu_features__.get(name)))

main(command)
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="other processors have other kernels")
@pytest.mark.parametrize("asked", ["", "SkylakeX"])
def test_numpy_multiplies_by_the_same_kernels_on_every_processor(asked: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    environment |= {"OPENBLAS_CORETYPE": asked} if asked else {}
    said = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert said.stdout == "{'Haswell'}\n\n", said.stderr
