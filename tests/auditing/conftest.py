"""Makes `oracles`, the folder of slow and foreign implementations, importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
