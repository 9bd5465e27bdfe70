"""Parties on their own machines, reached through a SuperLink of Flower.

The center asks the same requests as in one process; each is packed as bytes in one record of a
Flower message. A party is a process of its own, `aboveboard party`, which speaks Flower's Fleet
interface with the code that is installed on its machine: it runs no code that arrives, and answers
no run whose app is not its own. Flower is an extra and imported when it is used.

Examples
--------
>>> from aboveboard.learning.flower import compute_app_hash
>>> len(compute_app_hash())
64
"""

from __future__ import annotations

from aboveboard.learning.flower.app import build_app, compute_app_hash
from aboveboard.learning.flower.node_keys import make_node_key, read_node_key
from aboveboard.learning.flower.requirement import require_flower

__all__ = ["build_app", "compute_app_hash", "make_node_key", "read_node_key", "require_flower"]
