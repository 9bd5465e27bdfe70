"""Puts tests/ on the path (for `oracles`) and takes the clock out of hypothesis."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
settings.register_profile("aboveboard", deadline=None)
settings.load_profile("aboveboard")
