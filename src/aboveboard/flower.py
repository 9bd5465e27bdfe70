"""For people who have a Flower app: a market around its strategy, and a grid in one process.

`Market` measures each client on the center's rows, prices, serves and reports; `LocalGrid` and
`make_node` run a `ClientApp` in this process, for first tries and tests. Flower is an extra
(`pip install 'aboveboard[flower]'`) and imported when it is used.

Examples
--------
>>> from aboveboard.flower import Market
>>> Market.__name__
'Market'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.learning.flower.market import Market, MarketResult

if TYPE_CHECKING:
    from aboveboard.learning.flower.local_grid import LocalGrid, make_node

__all__ = ["LocalGrid", "Market", "MarketResult", "make_node"]


def __getattr__(name: str) -> Any:
    if name not in ("LocalGrid", "make_node"):
        raise AttributeError(f"module 'aboveboard.flower' has no attribute {name!r}")
    from aboveboard.learning.flower.requirement import require_flower

    require_flower(f"aboveboard.flower.{name}")
    from aboveboard.learning.flower import local_grid

    return getattr(local_grid, name)
