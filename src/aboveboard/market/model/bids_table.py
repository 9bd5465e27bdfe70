"""Bids and endowments from tables: CSV (or Parquet, a workbook), and instances of CATS.

A table of bids has the columns `party`, `goods` and `value`, and may have `group` (of the bids of
a group at most one counts) and `quantity` (so many units of the one good in the row). Goods in a
cell are separated by +, ; or ,. A table of endowments has `party`, `good` and perhaps `quantity`.
CATS is the format of Leyton-Brown, Pearson, Shoham, "Towards a universal test suite for
combinatorial auction algorithms" (2000): bids that share a dummy good exclude one another, and are
one bidder here. Cost: linear in the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import polars as pl

from aboveboard.errors import InputError
from aboveboard.faults import collect_faults, raise_faults
from aboveboard.formatting import format_quantity
from aboveboard.market.model.market_file import BidTable, MarketFile, Player
from aboveboard.mechanisms.reading import Read
from aboveboard.storage.formats.content import read_content
from aboveboard.storage.formats.encoding import decode
from aboveboard.storage.options import DataOptions, merge_options
from aboveboard.storage.tabular_files import read_table

FileT = TypeVar("FileT", bound=MarketFile)

MOST_DIGITS = 30
"""Digits of a value in a table: money needs no more."""

NUMBER_PATTERN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
COUNT = re.compile(r"\d{1,6}")
"""A count of units or goods, or a good's number: more digits would be more names than fit."""

SEPARATORS = re.compile(r"[+;,]")

BIDS = ("party", "goods", "value")
"""Columns that a table of bids must have."""

ENDOWMENTS = ("party", "good")
"""Columns that a table of endowments must have."""


def read_tables(file: FileT, read: Read) -> FileT:
    """Return the file with what its tables of bids and endowments say of the parties.

    Raises
    ------
    InputError
        If a table is missing or lacks a column, or a cell is not a name, number or quantity.
    """
    parties = dict(file.parties)
    seller = file.seller
    options = merge_options(file)
    if file.bids is not None:
        path = read.file("bids", Path(file.bids), options)
        instance = read_cats(path, options)
        if instance is not None:
            seller = seller or "seller"
            _add_cats(parties, instance, f"bids: {path.name}", seller)
        else:
            _add_bids(parties, _read_rows(path, "bids", BIDS))
    if file.endowments is not None:
        path = read.file("endowments", Path(file.endowments), options)
        _add_endowments(parties, _read_rows(path, "endowments", ENDOWMENTS))
    if seller is not None:
        parties = _add_seller(parties, seller)
    return file.model_copy(update={"parties": parties})


class BidRow:
    """One row of a table, with the place that errors name."""

    def __init__(self, cells: Mapping[str, object], place: str) -> None:
        self._cells, self.place = cells, place

    def get_text(self, column: str) -> str:
        """Return a cell as text, "" if it is empty or there is no such column."""
        cell = self._cells.get(column)
        return "" if cell is None else str(cell).strip()

    def get_name(self, column: str) -> str:
        """Return a cell that must not be empty.

        Raises
        ------
        InputError
            If it is empty, or there is no such column.
        """
        text = self.get_text(column)
        if not text:
            raise InputError(self.place, f"column {column!r} is empty", "fill it in")
        return text

    def get_value(self) -> Fraction:
        """Return the value, exactly.

        Raises
        ------
        InputError
            If it is empty, or not a number.
        """
        text = self.get_name("value")
        if not NUMBER_PATTERN.fullmatch(text) or len(text) > MOST_DIGITS:
            remedy = "write a number such as 12.50"
            if DECIMAL_COMMA.fullmatch(text):
                remedy += ', or decimal = "," into the collaboration file'
            raise InputError(self.place, f"the value is {text[:40]!r}", remedy)
        return Fraction(text)

    def get_quantity(self) -> int | None:
        """Return the quantity; None where the cell is empty or there is no such column.

        Raises
        ------
        InputError
            If it is not a whole number from 1, or has more than six digits.
        """
        text = self.get_text("quantity")
        if not text:
            return None
        if not COUNT.fullmatch(text) or int(text) < 1:
            raise InputError(
                self.place,
                f"the quantity is {text[:40]!r}",
                "write a whole number from 1 to 999999",
            )
        return int(text)


def _read_rows(path: Path, key: str, columns: Sequence[str]) -> list[BidRow]:
    where = f"{key}: {path.name}"
    frame, whereabouts = read_table(path, where)
    lower = {column: column.strip().lower() for column in frame.columns}
    missing = [column for column in columns if column not in lower.values()]
    if missing:
        raise InputError(
            where,
            f"it has no column {missing[0]!r}",
            f"name its columns {', '.join(columns)}; it has {', '.join(frame.columns[:8])}",
        )
    text = frame.select(pl.all().cast(pl.String, strict=False)).rename(lower)
    locate: Callable[[int], str] = whereabouts
    return [BidRow(cells, f"{where}, {locate(k)}") for k, cells in enumerate(text.to_dicts())]


def _add_bids(parties: dict[str, Player], rows: Sequence[BidRow]) -> None:
    faults: list[InputError] = []
    for row in rows:
        with collect_faults(faults):
            _add_value(parties, row.get_name("party"), _read_bid(row))
    raise_faults(faults)


def _read_bid(row: BidRow) -> BidTable:
    """Return what a row says its party would pay for which goods."""
    parts = SEPARATORS.split(row.get_name("goods"))
    goods = [good for part in parts if (good := part.strip())]
    if not goods:
        raise InputError(row.place, "the bid is on no good", "name one, or several with + between")
    quantity = row.get_quantity()
    if quantity is not None and len(goods) != 1:
        raise InputError(
            row.place, "a quantity is of one good, and there are several", "leave it empty"
        )
    counts: tuple[str, ...] | dict[str, int] = tuple(goods)
    if quantity is not None:
        counts = {goods[0]: quantity}
    return BidTable(goods=counts, value=row.get_value(), group=row.get_text("group") or None)


def _add_value(parties: dict[str, Player], name: str, value: BidTable) -> None:
    player = parties.get(name, Player())
    parties[name] = player.model_copy(update={"values": (*player.values, value)})


def _add_endowments(parties: dict[str, Player], rows: Sequence[BidRow]) -> None:
    faults: list[InputError] = []
    for row in rows:
        with collect_faults(faults):
            _add_endowment(parties, row)
    raise_faults(faults)


def _add_endowment(parties: dict[str, Player], row: BidRow) -> None:
    name, good = row.get_name("party"), row.get_name("good")
    player = parties.get(name, Player())
    counts = player.count_endowment()
    quantity = row.get_quantity()
    if quantity is None and good in counts:
        raise InputError(row.place, f"{name} brings {good!r} twice", "give a quantity")
    counts[good] = counts.get(good, 0) + (quantity or 1)
    countable = quantity is not None or isinstance(player.endowment, Mapping)
    endowment = counts if countable else tuple(counts)
    parties[name] = player.model_copy(update={"endowment": endowment})


def _add_seller(parties: Mapping[str, Player], seller: str) -> dict[str, Player]:
    """Return the parties with a seller, first, who brings every good that nobody else brings."""
    brought = {good for player in parties.values() for good in player.count_endowment()}
    named = [
        good
        for player in parties.values()
        for value in player.values
        for good in value.count_goods()
    ]
    own = parties.get(seller, Player())
    counts = {**own.count_endowment(), **{g: 1 for g in dict.fromkeys(named) if g not in brought}}
    countable = isinstance(own.endowment, Mapping)
    player = own.model_copy(update={"endowment": counts if countable else tuple(counts)})
    return {seller: player, **{name: p for name, p in parties.items() if name != seller}}


# ------------------------------------------------------------------------------------- CATS


def read_cats(path: Path, options: DataOptions) -> list[str] | None:
    """Return the lines of an instance of CATS; None: the file is not one.

    An instance is called `.cats`, or begins with a comment (%) or its sizes. It may be packed.

    Raises
    ------
    InputError
        If it is not a file that can be read.
    """
    where = f"bids: {path.name}"
    content = read_content(path, where)
    start = content.data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    named = content.suffix == ".cats"
    begins = start.startswith(b"%") or re.match(rb"goods\s+\d+", start) is not None
    if content.container != "text" or not (named or begins):
        return None
    return decode(content.data, where, options.encoding).decode().splitlines()


def _add_cats(parties: dict[str, Player], lines: Sequence[str], where: str, seller: str) -> None:
    """Add the bidders of an instance, and a seller who brings all its goods."""
    sizes: dict[str, int] = {}
    bids: list[tuple[str, Fraction, list[int]]] = []
    for k, line in enumerate(lines, 1):
        words = line.split()
        place = f"{where}, line {k}"
        if not words or words[0].startswith("%"):
            continue
        if words[0] in ("goods", "bids", "dummy"):
            if len(words) != 2 or not COUNT.fullmatch(words[1]):
                raise InputError(
                    place,
                    f"{words[0]} is not followed by one number of at most six digits",
                    f"write, for example, {words[0]} 10",
                )
            sizes[words[0]] = int(words[1])
            continue
        bids.append(_parse_cats_bid(words, sizes, place))
    if "goods" not in sizes or len(bids) != sizes.get("bids", len(bids)):
        raise InputError(
            where,
            f"it has {format_quantity(len(bids), 'bid')} and says {sizes.get('bids', 'nothing')}",
            "use a whole instance of CATS: goods, bids, dummy, then one line per bid",
        )
    twice = [number for number, count in Counter(bid[0] for bid in bids).items() if count > 1]
    if twice:
        problem = f"several bids have the number {twice[0]}"
        raise InputError(where, problem, "give each bid a number of its own")
    goods = sizes["goods"]
    names = tuple(f"g{g}" for g in range(goods))
    own = parties.get(seller, Player())
    parties[seller] = own.model_copy(update={"endowment": (*own.count_endowment(), *names)})
    for number, price, wanted in bids:
        dummies = [g for g in wanted if g >= goods]
        bundle = tuple(f"g{g}" for g in wanted if g < goods)
        if len(dummies) > 1 or not bundle:
            raise InputError(
                f"{where}, bid {number}",
                "it has no good, or several dummy goods",
                "use instances in which a bid has one dummy good at most",
            )
        name = f"bidder d{dummies[0]}" if dummies else f"bidder {number}"
        _add_value(parties, name, BidTable(goods=bundle, value=price))


def _parse_cats_bid(
    words: Sequence[str], sizes: Mapping[str, int], place: str
) -> tuple[str, Fraction, list[int]]:
    """Return a bid's number, price and goods; the line ends with #."""
    number, *rest = words
    listed = rest[1:-1] if rest and rest[-1] == "#" else rest[1:]
    most = sizes.get("goods", 0) + sizes.get("dummy", 0)
    price = rest[0] if rest else ""
    if (
        not number.isdecimal()
        or not NUMBER_PATTERN.fullmatch(price)
        or len(price) > MOST_DIGITS
        or not all(COUNT.fullmatch(word) and int(word) < most for word in listed)
    ):
        raise InputError(
            place,
            "this is not a bid of CATS",
            f"write its number, its price, goods from 0 to {max(0, most - 1)}, and #",
        )
    return number, Fraction(price), [int(word) for word in listed]
