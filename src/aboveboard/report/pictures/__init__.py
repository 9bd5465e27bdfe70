"""One picture for each system, beside truth against the best lie.

Exchange of lists: who owns what. Learning: quality alone and together. Valuation: shares and what
levels cost. Market: goods and money before and after. Curation: who discloses over time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report.pictures.canvas import Picture

__all__ = ["Picture", "draw_picture"]


def draw_picture(collaboration: Collaboration, settlement: Settlement) -> Picture | None:
    """Return the picture of a run; None where the mechanism, perhaps a user's own, has none.

    Parameters
    ----------
    collaboration
        What was run.
    settlement
        The result.

    Examples
    --------
    >>> import aboveboard as ab
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> union = ab.collaborate("exchange.union", lists, kind="domain")
    >>> draw_picture(union, ab.run(union)).title
    'Who owns what'
    """
    from aboveboard.exchange.union import Union
    from aboveboard.storage.records import Records

    rule = collaboration.mechanism
    system = type(rule).__module__.split(".")[:2]
    if isinstance(rule, Union):
        from aboveboard.report.pictures.ownership import draw_ownership

        reports = collaboration.reports
        return draw_ownership({n: r for n, r in reports.items() if isinstance(r, Records)})
    if system == ["aboveboard", "learning"]:
        from aboveboard.report.pictures.qualities import draw_qualities

        return draw_qualities(settlement)
    if system == ["aboveboard", "valuation"]:
        from aboveboard.report.pictures.shares import draw_shares

        return draw_shares(settlement, collaboration.unit)
    if system == ["aboveboard", "market"]:
        from aboveboard.report.pictures.trades import draw_trades

        return draw_trades(settlement, _list_brought(collaboration), collaboration.file.currency)
    if system == ["aboveboard", "curation"]:
        from aboveboard.curation.curators import Curator
        from aboveboard.report.pictures.disclosures import draw_disclosures

        assert isinstance(rule, Curator)  # all of this system are
        return draw_disclosures(rule.curation_game, rule.names)
    return None


def _list_brought(collaboration: Collaboration) -> Mapping[str, Sequence[str]]:
    """Return the goods that each party brings to a market."""
    setup = collaboration.mechanism.setup  # type: ignore[attr-defined]  # a market's has one
    traders: Mapping[str, Any] = collaboration.reports
    return {name: setup.list_goods(trader.endowment) for name, trader in traders.items()}
