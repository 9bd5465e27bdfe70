"""Keys with a type as text: one value is one text, whatever its type, unit, scale or zone.

Numbers without needless zeros (7.0 is 7, 1.50 is 1.5), instants in UTC with a Z, times without a
zone as ISO 8601 writes them. Where that cannot be decided between two parties (a time without a
zone and an instant, the text 007 and the number 7), it is refused, and both are named.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl

from aboveboard.errors import InputError
from aboveboard.storage.kinds import Kind
from aboveboard.storage.records import ELEMENT, Records

TEXT, NUMBER, SINGLE, BOOLEAN = "text", "numbers", "numbers in single precision", "true or false"
DATE, TIME, LOCAL, INSTANT = "dates", "times of day", "times without a zone", "times with a zone"
DURATION, UUID = "durations", "UUIDs"

_NUMBER = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
_PADDED = r"^[+-]?0[0-9]"
_ISO = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
_LOCAL = _ISO + "$"
_MIDNIGHT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]00:00(?::00(?:\.0+)?)?)?$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_OTHER_DATE = (
    r"^(?:[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{2}|[0-9]{4})"
    r"|[0-9]{4}[./][0-9]{2}[./][0-9]{2}|[0-9]{8})$"
)
_OTHER_MOMENT = _OTHER_DATE.removesuffix("$") + r"(?:[T ].*[0-9]:[0-9]{2}.*)?$"
_OTHER_TIME = r"^(?i)[0-9]{1,2}(?::[0-9]{2}){1,2}(?:[.,][0-9]+)?\s*(?:[ap]\.?m\.?)?$"
_HEXADECIMAL = "^(?:3[0-9]|[46][1-6])+$"
"""The digits of 0 to 9, A to F and a to f, as bytes in hexadecimal."""
_UUID = r"^(?i)(?:urn:uuid:)?\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?$"
_TIME = r"^[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?$"
_CLOCK = r"^[+-]?[0-9]+:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?$"
_GROUPED = r"^[+-]?[0-9]{1,3}(?:[., '\u00a0\u202f][0-9]{3})*(?:[.,][0-9]+)?$"
_FRACTION = r"^[+-]?[0-9]*\.[0-9]+$"
_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
_ZONED = _ISO + r"\s?(Z|z|UTC|[+-][0-9]{2}:?[0-9]{2})$"


def write_keys(
    keys: pl.Series, where: str, kind: Kind | None = None, before: int = 0
) -> tuple[pl.Series, str]:
    """Return keys as text, and what they are.

    Parameters
    ----------
    keys
        A column of any type.
    where
        What to call the file in messages.
    kind
        What they are, as the collaboration file says: hashes may be kept as bytes.
    before
        How many rows stand above these.

    Returns
    -------
    The texts (null where the key is null) under the name of elements, and one of this module's
    names of types.

    Raises
    ------
    InputError
        The type has no text, or a number is not finite.
    """
    dtype, called = keys.dtype, f"the key {keys.name!r}"
    keys = keys.alias(ELEMENT)  # by some names polars would look for others
    if dtype == pl.String:
        return keys, TEXT
    if dtype == pl.Binary and kind == "hash":
        return _write_hashes(keys), TEXT
    if dtype in (pl.Categorical, pl.Enum) or isinstance(dtype, pl.Categorical | pl.Enum):
        return keys.cast(pl.String), TEXT
    if dtype == pl.Null:
        return keys.cast(pl.String), TEXT
    if dtype == pl.Boolean:
        return keys.cast(pl.String), BOOLEAN
    if dtype.is_integer():
        return keys.cast(pl.String), NUMBER
    if dtype.is_float():
        return _write_floats(keys, where, called, before)
    if dtype.is_decimal():
        return _strip_zeros(keys.cast(pl.String)), NUMBER
    if dtype == pl.Date:
        return keys.cast(pl.String), DATE
    if isinstance(dtype, pl.Datetime):
        return _write_times(keys, dtype)
    if dtype == pl.Time:
        return _strip_zeros(keys.dt.to_string("%H:%M:%S%.9f")), TIME
    if dtype == pl.Duration:
        return keys.dt.to_string("iso"), DURATION
    if dtype == pl.Binary:
        with suppress(pl.exceptions.PolarsError):
            texts = keys.cast(pl.String)
            # Other bytes may happen to be characters, but of those nobody sees.
            if not texts.str.contains(r"[\x00-\x08\x0e-\x1f\x7f]").any():
                return texts, TEXT
    problem = f"{called} holds {dtype}, which has no text"
    remedy = "name a column of text, numbers or dates"
    raise InputError(where, problem, remedy)


def _write_hashes(keys: pl.Series) -> pl.Series:
    """Return hashes that are kept as bytes in hexadecimal, each unless it is such digits already.

    Each for itself: one empty row must not make the digits of all others another hash.
    """
    digits = keys.bin.encode("hex")
    written = digits.str.contains(_HEXADECIMAL).fill_null(value=False)
    # Of other bytes polars makes no text, and says so by an error of its own.
    nothing = pl.Series([None], dtype=pl.Binary).new_from_index(0, keys.len())
    return keys.zip_with(written, nothing).cast(pl.String).zip_with(written, digits)


def _strip_zeros(texts: pl.Series) -> pl.Series:
    """Return decimal texts without zeros at the end of a fraction."""
    fraction = texts.str.contains(".", literal=True).fill_null(value=False)
    if not fraction.any():
        return texts
    stripped = texts.str.replace(r"\.?0+$", "").str.replace(r"^-0$", "0")
    return stripped.zip_with(fraction, texts)


def _write_floats(keys: pl.Series, where: str, called: str, before: int) -> tuple[pl.Series, str]:
    numbers = keys.cast(pl.Float64)
    if not numbers.drop_nulls().is_finite().all():
        row = (~numbers.is_finite()).arg_max() or 0
        problem = f"{called} is {numbers[row]}"
        raise InputError(f"{where}, row {row + before + 1}", problem, "give every row a key")
    whole = (numbers == numbers.floor()) & (numbers.abs() < float(1 << 53))
    whole = whole.fill_null(value=True)
    small = numbers.set(~whole, 0.0).cast(pl.Int64).cast(pl.String)
    if whole.all():
        return small, NUMBER
    distinct = numbers.filter(~whole).unique()
    written = [_write_decimal(Decimal(repr(value))) for value in distinct.to_list()]
    texts = numbers.filter(~whole).replace_strict(distinct, written, return_dtype=pl.String)
    kind = NUMBER
    if keys.dtype != pl.Float64:
        short = keys.filter(~whole).cast(pl.String).to_list()
        same = all(
            Decimal(one) == Decimal(other)
            for one, other in zip(short, texts.to_list(), strict=True)
        )
        kind = NUMBER if same else SINGLE
    return small.clone().scatter((~whole).arg_true(), texts), kind


def _write_decimal(number: Decimal) -> str:
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _write_times(keys: pl.Series, dtype: pl.Datetime) -> tuple[pl.Series, str]:
    zone = dtype.time_zone
    if zone is not None:
        keys = keys.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    texts = _strip_zeros(keys.dt.to_string("%Y-%m-%dT%H:%M:%S%.9f"))
    return (texts, LOCAL) if zone is None else (texts + "Z", INSTANT)


def unify_keys(records: Mapping[str, Records]) -> dict[str, Records]:
    """Return the parties' records with keys of one value in one spelling.

    Where one party's keys have a type and another's are text, texts that name a value of that type
    are written as it is. Those that say what their elements are (`kind`) have one spelling already.

    Raises
    ------
    InputError
        Two parties' keys are of types that cannot be compared; both parties are named.
    """
    records = _unify_dates(records)
    typed = {
        name: one.reading.key_type
        for name, one in records.items()
        if len(one) and one.reading.kind is None and one.reading.key_type != TEXT
    }
    if not typed:
        return dict(records)
    first, kind = next(iter(sorted(typed.items())))
    for name, other in sorted(typed.items()):
        if other != kind:
            problem = f"the keys of {first} are {kind}, and those of {name} {other}"
            remedy = "write the keys of both in one type"
            if {kind, other} == {LOCAL, INSTANT}:
                remedy = "write both with a time zone, or both without"
            raise InputError("parties", problem, remedy)
    texts = [name for name in records if name not in typed]
    if kind in (NUMBER, SINGLE):
        _refuse_thousands(records, texts, first)
    return {
        name: _spell_like(one, name, kind, first) if name in texts else one
        for name, one in records.items()
    }


def _unify_dates(records: Mapping[str, Records]) -> dict[str, Records]:
    """Return times that are all at midnight as dates, if another party has dates.

    Workbooks and pandas have no type of their own for dates, nor has `date64` of Arrow.
    """
    found = dict(records)
    kinds = {one.reading.key_type for one in records.values() if len(one)}
    if LOCAL not in kinds or not (DATE in kinds or any(map(_has_dates, records.values()))):
        return found
    for name, one in records.items():
        times = one.frame[ELEMENT]
        if one.reading.key_type == LOCAL and times.str.ends_with("T00:00:00").all():
            frame = one.frame.with_columns(times.str.head(10).alias(ELEMENT))
            dated = replace(one.reading, key_type=DATE)
            found[name] = replace(one.with_frame(frame), reading=dated)
    return found


def _has_dates(records: Records) -> bool:
    """Return whether a party's texts are compared as what they name, and one names a date."""
    reading = records.reading
    if not len(records) or reading.kind is not None or reading.key_type != TEXT:
        return False
    return bool(records.frame[ELEMENT].str.strip_chars().str.contains(_DATE).any())


def _spell_like(records: Records, name: str, kind: str, typed: str) -> Records:
    """Return records whose texts that name values of a type are written as that type is."""
    if not len(records) or records.reading.kind is not None:
        return records
    texts = records.frame[ELEMENT]
    spelled = _spell(texts, kind, name, typed)
    if (spelled == texts).all():
        return records
    frame = records.frame.with_columns(spelled.alias(ELEMENT))
    twice = frame.height - frame[ELEMENT].n_unique()
    if twice:
        frame = frame.sort(frame.columns).unique(ELEMENT, keep="first", maintain_order=True)
    reading = replace(records.reading, duplicates=records.reading.duplicates + twice)
    return replace(records, rows=frame, reading=reading)


def _spell(texts: pl.Series, kind: str, name: str, typed: str) -> pl.Series:
    bare = texts.str.strip_chars()
    if kind in (NUMBER, SINGLE):
        fits = bare.str.contains(_NUMBER)
        _refuse(
            bare, fits & bare.str.contains(_PADDED), name, typed, "numbers have no zeros before"
        )
        grouped = bare.str.contains(_GROUPED)
        _refuse(bare, grouped & ~fits, name, typed, "numbers have a decimal point and no other")
        return _respell(texts, bare, fits, lambda text: _write_decimal(Decimal(text)))
    if kind == DATE:
        midnight = bare.str.contains(_MIDNIGHT)
        odd = bare.str.contains(_OTHER_DATE) | (bare.str.contains(_LOCAL) & ~midnight)
        _refuse(bare, odd, name, typed, "dates are written 2020-12-31")
        return _respell(texts, bare, midnight, lambda text: text[:10])
    if kind == TIME:
        fits = bare.str.contains(_TIME)
        odd = bare.str.contains(_OTHER_TIME) & ~fits
        _refuse(bare, odd, name, typed, "times of day are written 01:02:03")
        return _respell(texts, bare, fits, lambda text: _write_local(f"2000-01-01T{text}")[11:])
    if kind == UUID:
        return _respell(texts, bare, bare.str.contains(_UUID), lambda text: str(uuid.UUID(text)))
    if kind == DURATION:
        _refuse(bare, bare.str.contains(_CLOCK), name, typed, "durations are written PT1H30M")
        return texts
    if kind == BOOLEAN:
        lower = bare.str.to_lowercase()
        fits = lower.is_in(["true", "false"])
        odd = lower.is_in(["0", "1", "yes", "no", "t", "f", "y", "n"])
        _refuse(bare, odd, name, typed, "keys are true or false")
        return lower.zip_with(fits, texts)
    if kind in (LOCAL, INSTANT):
        local, zoned = bare.str.contains(_LOCAL), bare.str.contains(_ZONED)
        wrong = local if kind == INSTANT else zoned
        _refuse(bare, bare.str.contains(_DATE), name, typed, "times have hours and minutes")
        odd = bare.str.contains(_OTHER_MOMENT)
        _refuse(bare, odd, name, typed, "times are written 2020-12-31T01:02:03")
        problem = "times have a zone" if kind == INSTANT else "times have no zone"
        _refuse(bare, wrong, name, typed, problem)
        if kind == LOCAL:
            return _respell(texts, bare, local, _write_local)
        return _respell(texts, bare, zoned, _write_instant)
    return texts


def _refuse_thousands(records: Mapping[str, Records], texts: Sequence[str], typed: str) -> None:
    """Raise where `1.000` may be a thousand: no key shows that a point begins decimals."""
    for name in texts:
        one = records[name]
        if not len(one) or one.reading.kind is not None:
            continue
        bare = one.frame[ELEMENT].str.strip_chars()
        thousands = bare.str.contains(_THOUSANDS)
        if not thousands.any():
            continue
        others = [other.frame[ELEMENT] for other in records.values() if other is not one]
        if any(_has_fraction(keys) for keys in (bare.filter(~thousands), *others)):
            continue
        why = "numbers do not tell whether its point begins decimals or groups thousands"
        _refuse(bare, thousands, name, typed, why)


def _has_fraction(keys: pl.Series) -> bool:
    """Return whether a key has a point that begins decimals."""
    return bool((keys.str.contains(_FRACTION) & ~keys.str.contains(_THOUSANDS)).any())


def _respell(
    texts: pl.Series, bare: pl.Series, fits: pl.Series, write: Callable[[Any], str]
) -> pl.Series:
    if not fits.any():
        return texts
    distinct = bare.filter(fits).unique()
    written = [write(text) for text in distinct.to_list()]
    changed = bare.filter(fits).replace_strict(distinct, written, return_dtype=pl.String)
    return texts.clone().scatter(fits.arg_true(), changed)


def _write_local(text: str) -> str:
    date, time = text[:10], text[11:]
    if time.count(":") == 1:
        time += ":00"
    return f"{date}T{time.rstrip('0').rstrip('.') if '.' in time else time}"


def _write_instant(text: str) -> str:
    from datetime import UTC, datetime

    spelled = text.replace(" UTC", "+00:00").replace("UTC", "+00:00").replace(" ", "T", 1)
    # Python's own times end at microseconds.
    fraction = re.search(r"\.[0-9]+", spelled)
    if fraction:
        spelled = spelled.replace(fraction[0], "")
    try:
        moment = datetime.fromisoformat(spelled.replace("z", "Z")).astimezone(UTC)
    except ValueError:
        return text
    whole = moment.isoformat().removesuffix("+00:00")
    return _write_local(whole + (fraction[0] if fraction else "")) + "Z"


def _refuse(texts: pl.Series, wrong: pl.Series, name: str, typed: str, why: str) -> None:
    if wrong.any():
        sample = texts.filter(wrong)[0]
        problem = f"{name} has the key {sample!r} as text, and {typed}'s {why}"
        remedy = (
            'write the keys of both in one type, or kind = "text" to compare them as they stand'
        )
        raise InputError("parties", problem, remedy)
