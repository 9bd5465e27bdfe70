"""Commitments to numbers of which only the sum is opened: Pedersen's, in the group of Ed25519.

A number x is committed to as x G + r H with a secret r. The sum of all commitments commits to the
sum of all numbers under the sum of all r: the center opens that, and nothing else.

Assumptions. Hiding: a commitment tells nothing of x, whoever computes however long, as long as r is
random; here r comes from the member's tree key (keyed BLAKE2b), which must look random to others.
Binding: nobody opens a commitment to another number, as long as discrete logarithms in this group
are hard and nobody knows that of H to G; H is a hash of a fixed text, so that nobody does. An
opened sum is exact: numbers are so small that they cannot wrap around the order of the group.

Numbers are fractions: each member publishes the denominator that its numbers share, which tells
how many decimals it uses, no more. Source: Pedersen, "Non-interactive and information-theoretic
secure verifiable secret sharing" (CRYPTO 1991), section 3. Takes PyNaCl; a third of a millisecond
for each number.

A commitment is refused before anybody uses it unless each of its points is a canonical one of the
group of prime order (32 microseconds each), other than the neutral one: a point of small order
hides nothing, and one of another group makes a sum that nobody can open.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from math import lcm
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import decode_hex, decode_whole
from aboveboard.evidence.trees import InvalidProofError
from aboveboard.formatting import format_count

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of the group: what `G` and `H` generate."""

MOST_COORDINATES = 10_000
"""Numbers of one member: seconds."""

MOST_NUMERATOR = 2**110
MOST_DENOMINATOR = 2**110
"""A thousand members' sum of numerators over one denominator is below half of `GROUP_ORDER`."""

_CONTEXT = b"aboveboard pedersen v1\n"
_BYTES = 32
"""Bytes of a point and of a number below `GROUP_ORDER`."""

_WHOLE = re.compile(r"[1-9][0-9]{0,33}")
_POINT = re.compile(r"[0-9a-f]{64}")


class PackageMissingError(InputError):
    """Raised where PyNaCl is not installed: nothing can be said of a commitment without it."""


def _import_nacl() -> Any:
    try:
        from nacl import bindings
    except ImportError as error:
        raise PackageMissingError(
            "committed sums", "PyNaCl is not installed", "pip install 'aboveboard[tokens]'"
        ) from error
    return bindings


@cache
def make_second_generator() -> bytes:
    """Return H: a point of which nobody knows the logarithm."""
    digest = hashlib.sha512(_CONTEXT + b"second generator").digest()[:_BYTES]
    point: bytes = _import_nacl().crypto_core_ed25519_from_uniform(digest)
    return point


def derive_blinding(key: bytes, coordinate: int) -> int:
    """Return the secret r of one number of a member, from its tree key."""
    content = _CONTEXT + str(coordinate).encode()
    return int.from_bytes(hashlib.blake2b(content, key=key, digest_size=64).digest()) % GROUP_ORDER


def commit_number(number: int, blinding: int) -> bytes:
    """Return the commitment to an integer, 32 bytes.

    Examples
    --------
    >>> one, two = commit_number(3, 5), commit_number(4, 6)
    >>> add_points([one, two]) == commit_number(7, 11)
    True
    """
    nacl = _import_nacl()
    parts = []
    if number % GROUP_ORDER:
        parts.append(nacl.crypto_scalarmult_ed25519_base_noclamp(_encode_scalar(number)))
    if blinding % GROUP_ORDER:
        parts.append(multiply_point(make_second_generator(), blinding))
    return add_points(parts)


def multiply_point(point: bytes, factor: int) -> bytes:
    """Return a multiple of a point.

    Raises
    ------
    InvalidProofError
        If it is not a point of the group.
    """
    from nacl.exceptions import CryptoError

    try:
        product: bytes = _import_nacl().crypto_scalarmult_ed25519_noclamp(
            _encode_scalar(factor), point
        )
    except CryptoError as error:
        raise InvalidProofError("a commitment is not a point of the curve") from error
    return product


def add_points(points: Sequence[bytes]) -> bytes:
    """Return the sum of points; without any the neutral one."""
    nacl = _import_nacl()
    if not points:
        return b"\1" + bytes(_BYTES - 1)
    total = points[0]
    for point in points[1:]:
        total = nacl.crypto_core_ed25519_add(total, point)
    return total


def _encode_scalar(number: int) -> bytes:
    return (number % GROUP_ORDER).to_bytes(_BYTES, "little")


def _decode_scalar(text: Any) -> int:
    """Return the number that stands in text as `_encode_scalar` writes it.

    Raises
    ------
    ValueError
        If it is not one, or not below the order: the same number in another way.
    """
    number = int.from_bytes(decode_hex(text), "little")
    if len(text) != 2 * _BYTES or number >= GROUP_ORDER:
        raise ValueError("a blinding is not a number of this group")
    return number


def scale_point(point: Sequence[Fraction]) -> tuple[int, list[int]]:
    """Return the denominator that some numbers share, and their numerators over it.

    Raises
    ------
    InputError
        If they are too many or too large to be summed without wrapping around.
    """
    denominator = lcm(*(x.denominator for x in point))
    numerators = [int(x * denominator) for x in point]
    if len(point) > MOST_COORDINATES or any(abs(x) >= MOST_NUMERATOR for x in numerators):
        raise InputError("point", "its numbers are too many or too long", "use fewer decimals")
    if denominator >= MOST_DENOMINATOR:
        raise InputError("point", "its numbers are too long", "use fewer decimals")
    return denominator, numerators


def commit_point(point: Sequence[Fraction], key: bytes) -> dict[str, Any]:
    """Return a member's public commitment to its numbers, plain data.

    Parameters
    ----------
    point
        The numbers.
    key
        The member's tree key.

    Raises
    ------
    InputError
        If they are too many or too large, or PyNaCl is not installed.
    """
    denominator, numerators = scale_point(point)
    points = [commit_number(x, derive_blinding(key, k)).hex() for k, x in enumerate(numerators)]
    return {"denominator": str(denominator), "points": points}


def find_fault(data: Any) -> str:
    """Return why a member's public commitment cannot be summed; empty if it can.

    Parameters
    ----------
    data
        As `commit_point` returns it, from somebody else.

    Raises
    ------
    PackageMissingError
        If PyNaCl is not installed.

    Examples
    --------
    >>> find_fault({"denominator": "1", "points": ["01" + "00" * 31]})
    'number 1 is not committed to by a point of the group'
    """
    if not isinstance(data, dict) or set(data) != {"denominator", "points"}:
        return "it commits to no numbers that can be summed"
    denominator, points = data["denominator"], data["points"]
    if not (isinstance(denominator, str) and _WHOLE.fullmatch(denominator)):
        return "it commits to no numbers that can be summed"
    if int(denominator) >= MOST_DENOMINATOR:
        return "its denominator is too large"
    if not isinstance(points, list) or not points:
        return "it commits to no numbers that can be summed"
    if len(points) > MOST_COORDINATES:
        return f"it commits to more than {format_count(MOST_COORDINATES)} numbers"
    if not all(isinstance(point, str) and _POINT.fullmatch(point) for point in points):
        return "it commits to no numbers that can be summed"
    at = _find_no_point(tuple(points))
    return "" if at is None else f"number {at + 1} is not committed to by a point of the group"


@lru_cache(maxsize=64)
def _find_no_point(points: tuple[str, ...]) -> int | None:
    """Return the place of the first text that names no point; a log is read many times."""
    is_point = _import_nacl().crypto_core_ed25519_is_valid_point
    found = (k for k, point in enumerate(points) if not is_point(decode_hex(point)))
    return next(found, None)


def are_summable(denominators: Iterable[int]) -> bool:
    """Return whether numbers over these denominators have a sum that can be opened.

    Examples
    --------
    >>> are_summable([2, 3]), are_summable([2**60, 3**60])
    (True, False)
    """
    return lcm(*denominators) < MOST_DENOMINATOR


def open_sum(points: Mapping[str, Sequence[Fraction]], keys: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the opening of the sum of all members' numbers, plain data.

    Parameters
    ----------
    points, keys
        By member: its numbers, and its tree key.

    Raises
    ------
    InputError
        If the sum could wrap around.
    """
    scaled = {name: scale_point(point) for name, point in points.items()}
    common = _find_common([denominator for denominator, _ in scaled.values()])
    length = len(next(iter(scaled.values()))[1])
    sums, blindings = [], []
    for k in range(length):
        weights = {name: common // denominator for name, (denominator, _) in scaled.items()}
        sums.append(sum(weights[name] * scaled[name][1][k] for name in scaled))
        blinding = (
            sum(weights[name] * derive_blinding(keys[name], k) for name in scaled) % GROUP_ORDER
        )
        blindings.append(_encode_scalar(blinding).hex())
    return {
        "denominator": str(common),
        "sums": [str(x) for x in sums],
        "blindings": blindings,
    }


def _find_common(denominators: Sequence[int]) -> int:
    """Return the least common denominator.

    Raises
    ------
    InputError
        If it is too large.
    """
    common = lcm(*denominators)
    if common >= MOST_DENOMINATOR:
        raise InputError("points", "their denominators differ too much", "use decimals")
    return common


def verify_sum(
    commitments: Mapping[str, Mapping[str, Any]], opened: Mapping[str, Any]
) -> tuple[Fraction, ...]:
    """Return the sum of all members' numbers, once its opening is checked.

    Parameters
    ----------
    commitments
        By member, as `commit_point` returns them.
    opened
        As `open_sum` returns it.

    Raises
    ------
    InvalidProofError
        If the opening is not that of the sum of all commitments.
    """
    for name, data in commitments.items():
        if fault := find_fault(data):
            raise InvalidProofError(f"the commitment of {name}: {fault}")
    try:
        common = decode_whole(opened["denominator"])
        sums = [decode_whole(x) for x in opened["sums"]]
        blindings = [_decode_scalar(x) for x in opened["blindings"]]
        denominators = {name: int(x["denominator"]) for name, x in commitments.items()}
        points = {name: [decode_hex(p) for p in x["points"]] for name, x in commitments.items()}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InvalidProofError(f"this is not an opened sum ({error})") from error
    if common >= MOST_DENOMINATOR or common != lcm(*denominators.values()):
        raise InvalidProofError("the sum does not have the common denominator of all numbers")
    lengths = {len(blindings), len(sums), *map(len, points.values())}
    if len(lengths) > 1 or max(lengths) > MOST_COORDINATES:
        raise InvalidProofError("not all members have as many numbers as the sum")
    if any(2 * abs(each) >= GROUP_ORDER for each in sums):
        raise InvalidProofError("the sum is too large")
    for k, (total, blinding) in enumerate(zip(sums, blindings, strict=True)):
        committed = add_points(
            [multiply_point(points[n][k], common // denominators[n]) for n in points]
        )
        if committed != commit_number(total, blinding):
            raise InvalidProofError("the opened sum is not that of all commitments")
    return tuple(Fraction(total, common) for total in sums)
