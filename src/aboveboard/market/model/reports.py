"""What each party of a market reports, read from the file: goods, bids, votes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from aboveboard.errors import InputError
from aboveboard.faults import collect_faults, raise_faults
from aboveboard.formatting import encode_number
from aboveboard.market.model.announcement import parse_announcement
from aboveboard.market.model.bidding import (
    Additive,
    Bid,
    BidGroups,
    BundleTable,
    CountedBid,
    Language,
    Or,
    Xor,
)
from aboveboard.market.model.market_file import (
    MOST_BITS,
    BidTable,
    MarketFile,
    Player,
    Proposal,
    ProposingFile,
)
from aboveboard.market.model.market_setup import (
    MarketSetup,
    Trader,
    find_proposer,
    read_setup,
    read_structure,
)
from aboveboard.market.model.markets import Announcement, Market
from aboveboard.market.model.steps import Votes
from aboveboard.mechanisms.reading import Read

MOST_OR_BIDS = 64
"""An or-bid's value is an exact search that grows with the number of bids."""


MOST_GROUPS = 12
"""Groups of bids on identical units: their best choice is an exact search."""


def read_bidding_setup(file: MarketFile) -> MarketSetup:
    """Return the setup, its bits derived from the values where the file leaves them out.

    Raises
    ------
    InputError
        As `read_setup`, and if values need more than `MOST_BITS` bits.
    """
    setup = read_setup(file)
    if file.bits is not None:
        return setup
    largest = 0
    for name, player in file.parties.items():
        largest = max(largest, *map(abs, read_valuation(name, player, setup).find_extremes()))
    return replace(setup, bits=largest.bit_length() + 1)


def raise_all_faults(file: MarketFile) -> None:
    """Raise all faults of a file that independent checks find at once; nothing for none.

    Raises
    ------
    InputError
        If anything is wrong; `InputErrors` where several things are.
    """
    faults: list[InputError] = []
    with collect_faults(faults):
        find_proposer(file)
    if faults:  # the rest is looked at as if the first party proposed
        file = file.model_copy(update={"proposer": None})
    found: list[MarketSetup] = []
    with collect_faults(faults):
        found.append(read_setup(file))
    if not found:  # the rest is looked at as if each good were brought once
        with suppress(InputError):
            found.append(read_setup(_keep_first_owners(file)))
    for setup in found:
        for check in _list_checks(file, setup):
            with collect_faults(faults):
                check()
    raise_faults(faults)


def _keep_first_owners(file: MarketFile) -> MarketFile:
    """Return the file in which each good is brought by the first party that lists it, once."""
    seen: set[str] = set()
    parties = {}
    for name, player in file.parties.items():
        own = [good for good in player.count_endowment() if good not in seen]
        seen.update(own)
        parties[name] = player.model_copy(update={"endowment": own})
    return file.model_copy(update={"parties": parties})


def _list_checks(file: MarketFile, setup: MarketSetup) -> Iterator[Callable[[], object]]:
    for name, player in file.parties.items():
        yield partial(read_valuation, name, player, setup)
        for k, entry in enumerate(player.values):
            yield partial(_check_bid, f"parties.{name}.values[{k}]", entry, setup)
    yield partial(read_structure, file, setup)
    yield partial(find_announcements, file, setup)
    if isinstance(file, ProposingFile):
        yield partial(_read_ballots, file, setup, None)
        if file.proposal is not None:
            yield partial(parse_announcement, file.proposal, setup)


def read_traders(
    file: MarketFile, setup: MarketSetup, read: Read | None = None
) -> dict[str, Trader]:
    """Return what each party brings, bids and votes, in the file's order.

    Parameters
    ----------
    file, setup
        The file, and the players and goods in it.
    read
        Finds the files of votes; None: they are not looked at.

    Raises
    ------
    InputError
        If a bid names a good that nobody brings, a value is beyond the bound, or a vote is not one.
    """
    ballots = _read_ballots(file, setup, read) if isinstance(file, ProposingFile) else {}
    announcements = find_announcements(file, setup)
    return {
        name: Trader(
            setup.find_endowment(name),
            read_valuation(name, player, setup),
            ballots.get(name),
            announcements.get(name),
        )
        for name, player in file.parties.items()
    }


def find_announcements(file: MarketFile, setup: MarketSetup) -> dict[str, Announcement]:
    """Return what parties announce for themselves, where the file lets them.

    Raises
    ------
    InputError
        If a stranger announces, or what is announced is not an outcome.
    """
    stated: Mapping[str, Proposal] = getattr(file, "announcements", {})
    found = {}
    for name, proposal in stated.items():
        if name not in setup.players:
            raise InputError(
                f"announcements.{name}",
                "this is not a party",
                f"name some of {', '.join(setup.players)}",
            )
        found[name] = parse_announcement(proposal, setup, f"announcements.{name}")
    return found


def read_valuation(name: str, player: Player, setup: MarketSetup) -> Language:
    """Return what bundles are worth to a party by its bids, in steps of the setup.

    Raises
    ------
    InputError
        If a bid names a good that nobody brings, or a value is beyond the bound.
    """
    place = f"parties.{name}.values"
    for k, entry in enumerate(player.values):
        _check_bid(f"{place}[{k}]", entry, setup)
    if setup.kinds is not None or any(_has_groups_or_units(entry) for entry in player.values):
        valuation = _build_groups(place, player, setup)
    else:
        bids = [(setup.encode_goods(v.count_goods()), _to_steps(v, setup)) for v in player.values]
        valuation = _build_valuation(place, player.bidding, bids, len(setup.goods))
    for value in valuation.find_extremes():
        if abs(value) * setup.step >= setup.bound:
            raise InputError(
                place,
                f"a bundle is worth {encode_number(value * setup.step)}",
                f"{_describe_bound(setup)}; {_advise_on_bits(setup)}",
            )
    return valuation


def _has_groups_or_units(entry: BidTable) -> bool:
    """Return whether a bid is one of a group, or on more units than one: it needs all of them."""
    return bool(entry.group) or max(entry.count_goods().values()) > 1


def _advise_on_bits(setup: MarketSetup) -> str:
    """Return what to do about a value beyond the bound; no more bits than `MOST_BITS` exist."""
    if setup.stated_bits in (None, MOST_BITS):
        return "write values in a larger unit, such as thousands"
    return f"use more bits (at most {MOST_BITS}), or leave bits out"


def _describe_bound(setup: MarketSetup) -> str:
    bound = encode_number(setup.bound)
    bits = "" if setup.stated_bits is None else f"with bits = {setup.stated_bits} "
    return f"{bits}values lie strictly between -{bound} and {bound}"


def _to_steps(entry: BidTable, setup: MarketSetup) -> int:
    """Return a bid's value in the smallest unit of money."""
    return int(entry.value / setup.step)  # exact: the step divides every value


def _build_groups(place: str, player: Player, setup: MarketSetup) -> Language:
    """Return the valuation of bids in groups, or on units that are alike."""
    masks = setup.list_kinds()
    kinds = {kind: k for k, kind in enumerate(masks)}
    grouped = any(entry.group for entry in player.values)
    if player.bidding == "additive" and not grouped:
        return _build_additive(place, player, setup)
    if player.bidding in ("table", "additive"):
        raise InputError(
            place, f"bidding = {player.bidding!r} has no groups and no units", "use xor or or"
        )
    groups: dict[str, list[CountedBid]] = {}
    for k, entry in enumerate(player.values):
        if entry.value < 0:
            raise InputError(
                f"{place}[{k}].value", f"it is {entry.value}", "values in groups are not negative"
            )
        if grouped:
            key = f"group {entry.group}" if entry.group else f"bid {k}"
        else:
            key = "one" if player.bidding == "xor" else f"bid {k}"
        counts = tuple((kinds[good], count) for good, count in entry.count_goods().items())
        groups.setdefault(key, []).append((counts, _to_steps(entry, setup)))
    if setup.kinds is not None and len(groups) > MOST_GROUPS:
        raise InputError(
            place,
            f"there are {len(groups)} groups of bids on units",
            f'use at most {MOST_GROUPS}, or bidding = "xor"',
        )
    if len(groups) > MOST_OR_BIDS:
        raise InputError(
            place, f"there are {len(groups)} groups of bids", f"use at most {MOST_OR_BIDS}"
        )
    return BidGroups(tuple(masks.values()), tuple(map(tuple, groups.values())))


def _build_additive(place: str, player: Player, setup: MarketSetup) -> Additive:
    """Return additive values of goods, each unit of a kind worth the same."""
    worth: dict[str, int] = {}
    for entry in player.values:
        counts = entry.count_goods()
        if list(counts.values()) != [1] or set(counts) & set(worth):
            raise InputError(
                place, "an additive value is that of one good", "list one unit of one good in each"
            )
        worth[next(iter(counts))] = _to_steps(entry, setup)
    return Additive(tuple(worth.get(kind, 0) for kind in setup.kinds or setup.goods))


def _check_bid(place: str, entry: BidTable, setup: MarketSetup) -> None:
    kinds = set(setup.kinds or setup.goods)
    for good in entry.goods:
        if good not in kinds:
            raise InputError(
                f"{place}.goods",
                f"nobody brings the good {good!r}",
                f"give it an owner, or name some of {', '.join(sorted(kinds)[:12])}",
            )
    if len(set(entry.goods)) < len(entry.goods):
        raise InputError(f"{place}.goods", "a good is listed twice", "list it once")
    if abs(entry.value) >= setup.bound:
        raise InputError(
            f"{place}.value",
            f"it is {encode_number(entry.value)}",
            f"{_describe_bound(setup)}; {_advise_on_bits(setup)}",
        )


def _build_valuation(place: str, language: str, bids: Sequence[Bid], m: int) -> Language:
    seen = {bundle for bundle, _ in bids}
    if language in ("table", "additive") and len(seen) < len(bids):
        raise InputError(place, "the same goods have two values", "give them one")
    if language == "additive":
        if any(bundle.bit_count() > 1 for bundle, _ in bids):
            raise InputError(
                place, "an additive value is that of one good", "list one good in each"
            )
        values = {bundle.bit_length() - 1: value for bundle, value in bids}
        return Additive(tuple(values.get(g, 0) for g in range(m)))
    if language == "or" and len(bids) > MOST_OR_BIDS:
        raise InputError(
            place, f"there are {len(bids)} bids", f"or takes at most {MOST_OR_BIDS}; use xor"
        )
    languages: dict[str, type[BundleTable | Xor | Or]] = {
        "table": BundleTable,
        "xor": Xor,
        "or": Or,
    }
    return languages[language](tuple(bids))


def _read_ballots(
    file: ProposingFile, setup: MarketSetup, read: Read | None
) -> dict[str, tuple[bool, bool]]:
    """Return the votes that the file gives, or those in its folder of votes."""
    if isinstance(file.votes, str):
        return (
            {} if read is None else _read_ballot_folder(Path(file.votes), setup.players[1:], read)
        )
    given = {}
    for name, vote in file.votes.items():
        if name not in setup.players:
            raise InputError(
                f"votes.{name}",
                "a stranger cannot vote",
                f"name some of {', '.join(setup.players[1:])}",
            )
        if name == setup.players[0] and setup.draws:
            continue  # who votes was not known when the file was written
        if name == setup.players[0]:
            raise InputError(
                f"votes.{name}", "the proposer does not vote", "it has announced; leave it out"
            )
        given[name] = (vote.step_2 == "yes", vote.step_3 == "yes")
    return given


def _read_ballot_folder(
    folder: Path, voters: Sequence[str], read: Read
) -> dict[str, tuple[bool, bool]]:
    """Return each voter's file, NAME.txt: one answer, or one for step 2 and one for step 3."""
    given = {}
    for name in voters:
        path = read.file(f"votes of {name}", folder / f"{name}.txt")
        if not path.is_file():
            continue  # the reader has noted the fault
        answers = path.read_text(encoding="utf-8", errors="replace").lower().split()
        if len(answers) not in (1, 2) or not set(answers) <= {"yes", "no"}:
            raise InputError(
                f"votes: {folder / name}.txt",
                f"it says {' '.join(answers)[:40]!r}",
                "write yes or no, or two of these for steps 2 and 3",
            )
        given[name] = (answers[0] == "yes", answers[-1] == "yes")
    return given


def combine_votes(market: Market, reports: Mapping[str, Trader], dominant: Votes) -> Votes:
    """Return everybody's votes: those given, and the dominant ones where none is."""
    given = [reports[name].ballot for name in market.players[1:]]
    step_2 = zip(given, dominant.step_2, strict=True)
    step_3 = zip(given, dominant.step_3, strict=True)
    return Votes(
        tuple(vote if ballot is None else ballot[0] for ballot, vote in step_2),
        tuple(vote if ballot is None else ballot[1] for ballot, vote in step_3),
    )
