"""A member's own transfers, as its hub has them, held against what the center has signed.

What a round makes a member pay stands in its result; a hub that lists another amount, another
member's, or none, is contradicted by its own statement. Results are read of the round that the
member names and of those whose transfers the hub lists: what a hub leaves out of another round of
the series shows once the member names that one. That something was paid nobody can verify but the
two who know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from aboveboard.commands.rounds import KEYS
from aboveboard.commands.rounds.results import parse_header
from aboveboard.currencies import count_decimals
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.folders import MOST_SEALED_BYTES, SEALED_FOLDER, read_limited, read_log
from aboveboard.evidence.hidden_shares import hide_share, list_shown
from aboveboard.evidence.keys import read_keys
from aboveboard.evidence.members import find_home, read_payload
from aboveboard.evidence.numbers import parse_number
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.evidence.sealing import encode_context, open_message
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.members.answers import TransferAnswer, TransfersAnswer, read_answer
from aboveboard.hub.members.attendance import Attendance, attend_at_hub
from aboveboard.hub.members.known_hubs import KnownHub
from aboveboard.hub.members.membership import find_collaboration, preview
from aboveboard.hub.members.transport import HubConnection

MOST_LOOKS = 20
"""How often transfers and logs are fetched until they are of one moment."""

_REMEDY = "keep what the hub shows you, and ask its operator before any money moves"


def list_own_transfers(
    reference: str, home: Path | None = None, passphrase: bytes | None = None
) -> list[dict[str, Any]]:
    """Return the member's transfers in the series of a round: plain data, as the API has them.

    "verified" says whether the amount is the one of a result that the center has signed: of a
    transfer that nets others their sum. It is not where the result shows the member's payment to
    the member alone, and what opens it is not on this machine. That a transfer is missing is
    noticed of the round of the reference only: ask for each.

    Parameters
    ----------
    reference
        The collaboration's id, or its address at the hub.
    home
        The member's folder; None: `find_home()`.
    passphrase
        Of its keys.

    Raises
    ------
    InputError
        If no hub that the member has joined has it, or the transfers are not those of the results.
    """
    home = home or find_home()
    keys = read_keys(home / KEYS, passphrase)
    known, identifier = find_collaboration(reference, home, keys)
    found, rounds = _read_together(known, identifier, home, passphrase)
    verified: set[int] = set()
    fallen: list[TransferAnswer] = []
    for each, (round_, here) in sorted(rounds.items()):
        own = next((x for x in found if x.collaboration == each), None)
        verified |= _check_round(known, round_, here, own)
        if own is not None and _has_fallen(round_):
            fallen.append(own)
    verified |= _check_netted(known, found, fallen, verified)
    return [{**each.model_dump(), "verified": each.id in verified} for each in found]


def _read_together(
    known: KnownHub, identifier: str, home: Path, passphrase: bytes | None
) -> tuple[list[TransferAnswer], dict[str, tuple[Round, Attendance | None]]]:
    """Return the transfers and the rounds that they are of, as they were at one moment.

    A result enters a log and its transfers at once, but they are fetched one after the other. They
    are of one moment where no log has grown from before the transfers were fetched until after.

    Raises
    ------
    InputError
        If the hub cannot be believed, or logs grow all the time.
    """
    connection = HubConnection(known.address, read_keys(home / KEYS, passphrase))
    sizes: dict[str, int] = {}
    for _ in range(MOST_LOOKS):
        sent = connection.get_json(f"/api/v1/collaborations/{identifier}/transfers")
        found = read_answer(TransfersAnswer, sent, known.address).transfers
        _check_bindings(found, known)
        named = {identifier, *(each.collaboration for each in found if each.collaboration)}
        rounds = {each: _read_round(known, each, home, passphrase) for each in sorted(named)}
        before, sizes = sizes, {each: len(round_.leaves) for each, (round_, _) in rounds.items()}
        if sizes == before:
            return found, rounds
    raise InputError(
        known.address, "its rounds went on each time that they were read", "try again in a minute"
    )


def _check_bindings(found: Sequence[TransferAnswer], known: KnownHub) -> None:
    """Raise `InputError` if the transfers are not one member's, each once, of one series."""
    rounds = [each.collaboration for each in found if each.collaboration is not None]
    for wrong, problem in (
        (any(each.name != known.name for each in found), "a transfer of somebody else"),
        (len({each.id for each in found}) < len(found), "one transfer twice"),
        (len(set(rounds)) < len(rounds), "two transfers of one round"),
        (len({each.series for each in found}) > 1, "transfers of several series"),
    ):
        if wrong:
            raise InputError(known.address, f"it lists {problem}", _REMEDY)


def _read_round(
    known: KnownHub, identifier: str, home: Path, passphrase: bytes | None
) -> tuple[Round, Attendance | None]:
    """Return a round as its log tells it, and the member in it where it has agreed to its terms."""
    here = attend_at_hub(identifier, home, passphrase)
    if here is not None and here.mirror is not None and here.mirror.address == known.address:
        folder = here.member.folder
    else:
        here = None
        mirror, _ = preview(f"{known.address}/collaborations/{identifier}", home, passphrase)
        folder = mirror.folder
    return replay_log(read_log(folder, "").entries, str(folder)), here


def _has_fallen(round_: Round) -> bool:
    """Return whether a ruling lets the result fall: its state says so until it is archived only."""
    ruling = round_.find("ruling", "auditor")
    return ruling is not None and not ruling.body["stands"]


def _check_round(
    known: KnownHub, round_: Round, here: Attendance | None, own: TransferAnswer | None
) -> set[int]:
    """Return the number of a round's transfer if its amount is the one of the signed result.

    Raises
    ------
    InputError
        If it is another amount or of another state than the log tells, or the result knows none.
    """
    result, currency = round_.find("result"), round_.terms.currency
    where = f"its transfer of round {round_.terms.serial}"
    if own is not None:
        if (own.currency, own.serial) != (currency, round_.terms.serial):
            raise InputError(known.address, f"{where} is of other terms", _REMEDY)
        fell = _has_fallen(round_)
        if own.state == ("pending" if fell else "void"):
            ruled = "a ruling has let" if fell else "no ruling has let"
            problem = f"{where} is {own.state}, and {ruled} the result fall"
            raise InputError(known.address, problem, _REMEDY)
    due = Fraction(0)
    if result is not None and currency is not None:
        payment = _find_payment(round_, result.body, known.name, here)
        if payment is None:
            return set()
        due = payment * 10 ** count_decimals(currency)
    cents = 0 if own is None else own.cents
    if abs(cents - due) >= 1:  # by largest remainder no payment is off by a whole coin
        problem = f"{where} is not what the signed result makes you pay"
        raise InputError(known.address, problem, _REMEDY)
    return set() if own is None else {own.id}


def _find_payment(
    round_: Round, body: Mapping[str, Any], name: str, here: Attendance | None
) -> Fraction | None:
    """Return what a result makes a member pay; None where it is hidden, and cannot be opened."""
    shares = body.get("shares")
    share = shares.get(name) if isinstance(shares, dict) else None
    if isinstance(share, dict) and "payment" not in share and here is not None:
        share = _open_share(round_, here, share)
    number = parse_number(share.get("payment")) if isinstance(share, dict) else None
    return None if number is None else Fraction(number)


def _open_share(
    round_: Round, here: Attendance, stated: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the share whose hash the result states, from the member's sealed result.

    None where it does not open here, or is another one.
    """
    member = here.member
    found = sorted((member.folder / SEALED_FOLDER).glob(f"{member.name}-result-*.bin"))
    if not found:
        return None
    context = encode_context(round_.terms_digest, CENTER, member.name, "result")
    place = str(found[-1])
    try:
        sealed = read_limited(found[-1], MOST_SEALED_BYTES, "copy it once more")
        line, _, rest = open_message(sealed, member.keys, context, place).partition(b"\n")
        length, _ = parse_header(line, place)
        share: Any = decode_bundle(rest[:length], place).evidence.get("share")
        key = read_payload(member.private).key
        hidden = hide_share(member.name, share, key, list_shown(round_.terms))
    except (InputError, AttributeError, TypeError, ValueError):  # also what is no share at all
        return None
    return share if hidden == stated else None


def _check_netted(
    known: KnownHub,
    found: Sequence[TransferAnswer],
    fallen: Sequence[TransferAnswer],
    verified: set[int],
) -> set[int]:
    """Return the numbers of transfers that net verified ones, or turn back what has fallen.

    Raises
    ------
    InputError
        If one of them has another amount or currency than those that it takes the place of, is
        void, or one is missing.
    """
    parts: dict[int | None, list[TransferAnswer]] = {}
    for each in found:
        if each.state == "netted":
            parts.setdefault(each.netted_into, []).append(each)
    numbers = {each.id for each in found if each.collaboration is None}
    turned_back = [each for each in fallen if each.state in ("settled", "netted")]
    wrong = bool(parts.keys() - numbers - {None}) or any(_sum(parts.get(None, [])).values())
    fresh: set[int] = set()
    for each in sorted(found, key=lambda x: x.id):
        if each.collaboration is not None or wrong:
            continue
        if each.id in parts:
            wrong = each.state == "void" or _sum(parts[each.id]) != {each.currency: each.cents}
            if {x.id for x in parts[each.id]} <= verified | fresh:
                fresh.add(each.id)
            continue
        back = [x for x in turned_back if (x.currency, -x.cents) == (each.currency, each.cents)]
        wrong = each.state == "void" or not back
        if back:
            turned_back.remove(back[0])
            fresh |= {each.id} if back[0].id in verified else set()
    if wrong or turned_back:
        raise InputError(known.address, "its netted transfers do not add up", _REMEDY)
    return fresh


def _sum(transfers: Sequence[TransferAnswer]) -> dict[str, int]:
    """Return what transfers come to in each of their currencies."""
    sums: dict[str, int] = {}
    for each in transfers:
        sums[each.currency] = sums.get(each.currency, 0) + each.cents
    return sums
