"""The clone with a small corpus, which the tests of the whole pipeline make."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent)]
