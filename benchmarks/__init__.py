"""Measured comparisons with peers: `python -m benchmarks`.

comparison.py    what a benchmark is: a case, what was measured, a section of them
timing.py        how time and memory are measured
machine.py       on what it was measured
page.py          the only place that writes results: lines for a terminal, docs/benchmarks.md
audit.py, exchange.py, valuation.py, sampled.py, learning.py, market.py, curation.py,
                 evidence.py: a section each

Where no peer exists, the baseline is the definition in plain Python, from tests/oracles.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # for `oracles`
