"""How a good file is spoilt: by bytes, by lines, by tokens, by the types of its columns.

Every mutation is a function of the content and a seeded generator; a few of them follow one
another. A token is replaced where it stands, so that most of what comes out is still TOML, CSV or
JSON, and reaches the code behind the parser.
"""

from __future__ import annotations

import datetime
import io
import random
import re
from collections.abc import Callable
from decimal import Decimal

import polars as pl

LONG = (10, 300, 5_000, 100_000)
"""Lengths and depths: harmless, beyond a digit limit, beyond the recursion limit, a large file."""

NUMBERS = (
    "0", "-0", "-0.0", "1", "-1", "2", "0.1", "1e-400", "1e400", "1e309", "-1e309", "1e308",
    "5e-324", "nan", "inf", "-inf", "+nan", "9223372036854775807", "9223372036854775808",
    "18446744073709551616", "-9223372036854775809", "4294967296", "1000000", "100000000000",
    "1" * 19, "1" * 301, "1" * 4301, "0.3333333333333333333333", "1e999999999",
    "1e99999999999999999999", "0x" + "f" * 400, "1_000", "0b1", "0o7", "007", "1.", ".5", "1e",
    "--1", "0.30000000000000004", "1e-300", "1e300", "1e17", "9007199254740993", "0.5",
    "0.9999999999999999999", "63", "64", "1e5",
)  # fmt: skip
TEXTS = (
    '""', '" "', '"\\u0000"', '"\\u001b[2J"', '"\\u2028"', '"\\u202e"', '"\\n"', '"\\r\\n"', '"é"',
    '"e\\u0301"', '"ß"', '"İ"', '"\\U0001f600"', '"𝟙"', '"１"', '"½"', '"a b"', '"."', '".."',
    '"/"', '"../x"', '"/etc/passwd"', '"/dev/zero"', '"/dev/null"', '"/proc/self/mem"',
    '"/dev/stdin"', '"loop"', '"fifo"', '"folder"', '"to_zero"', '"outside"', '"CON"', '"~"',
    '"$HOME"', '"*"', '"a\\\\b"', '"1/0"', '"1/3"', '"-1/3"', '"1e400"', '"inf"', '"nan"', '"0"',
    '"1e5/3"', '"١"', '"1_0"', '"true"', '"yes"', '"estimate"', '"destroyed"',
    '"fuzzed_functions:number"', '"fuzzed_functions:text"', '"fuzzed_functions:fails"',
    '"fuzzed_functions:huge"', '"fuzzed_functions:nan"', '"fuzzed_functions:value"',
    '"fuzzed_functions:nope"', '"nope:nope"', '"fuzzed_functions.:x"', '"..:x"', '":"', '"a:"',
    '"os.path:join"', '"json:dumps"', "'''\n'''", '"""\n"""',
)  # fmt: skip
OTHERS = (
    "true", "false", "[]", "{}", "[[]]", "[{}]", "2024-02-30", "2024-01-01", "07:32:00",
    "1979-05-27T07:32:00Z", "0000-00-00", "null", "[1, 2]", '["a", "a"]', "{a = 1}", "[0, 1]",
    "[1, 0]", "[0.5, 0.5]", "[[1, 2], [3]]", "{a = {b = {c = 1}}}", '{"" = 1}',
)  # fmt: skip
KEYS = (
    "name", "mechanism", "seed", "parties", "exclusivity", "hiding", "rule", "normalize", "data",
    "key", "elements", "interval", "point", "values", "function", "pareto", "size", "grid", "step",
    "max", "zero", "quality", "kind", "points", "valuation", "matrix", "alpha", "own", "others",
    "training", "estimator", "parameters", "test", "label", "rounds", "endowment", "bidding",
    "goods", "value", "bits", "coalitions", "solver", "seconds", "proposer", "proposal", "votes",
    "epsilon", "utility", "s2", "t2", "level", "samples", "weight", "design", "levels", "cost",
    "sampling", "method", "budget", "bounds", "user", "file", "center", "price", "shape",
    "commitment", "commitments", "prior", "k", "center_weight", '""', '"a b"', '"é"', "a.b",
    "unknown", "__class__", "model_config", "counterfactual", "fairness", "processes", "reads",
    "cache", "selection", "'x'", "allocation", "prices", "step_2", "features", "validation",
    "inputs", "outputs", "unrepeatable",
)  # fmt: skip

TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[\w.+-]+|\n|[^\S\n]+|.', re.DOTALL)
VALUE = re.compile(r'["\'\d+-]|true|false|inf|nan')
WORD = re.compile(r"[A-Za-z_]")

Mutation = Callable[[bytes, random.Random], bytes]


def mutated(content: bytes, name: str, rng: random.Random) -> bytes:
    """Spoil a file, once or a few times over.

    Parameters
    ----------
    content
        The good file.
    name
        Its name: the suffix decides which mutations make sense.
    rng
        Decides everything.
    """
    choices = BINARY if name.endswith((".parquet", ".pq")) else TEXTUAL
    times = min(1 + int(rng.expovariate(2.0)), 6)
    drawn = rng.choices(list(choices), list(choices.values()), k=times)
    # What reads the file comes first, while it is good: a broken one may end the process.
    for mutation in sorted(drawn, key=lambda x: x is not _retyped):
        content = mutation(content, rng)
    return content


def _bytes(content: bytes, rng: random.Random) -> bytes:
    """Flip, insert, delete or repeat a few bytes."""
    spoilt = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(spoilt) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(spoilt):
            spoilt[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            spoilt[at:at] = bytes([rng.choice((0, 10, 13, 34, 44, 61, 91, 92, 93, 127, 255, 35))])
        elif kind == 2:
            del spoilt[at : at + rng.randint(1, 8)]
        else:
            spoilt[at:at] = spoilt[at : at + rng.randint(1, 64)]
    return bytes(spoilt)


def _layout(content: bytes, rng: random.Random) -> bytes:
    """Change how the text is laid out: line ends, byte order mark, encoding, an end too soon."""
    text = content.decode("utf-8", "replace")
    return rng.choice(
        (
            content.replace(b"\n", b"\r\n"),
            content.replace(b"\n", b"\r"),
            content.replace(b"\n", b"\r\n", rng.randint(1, 5)),
            b"\xef\xbb\xbf" + content,
            b"\xff\xfe" + content,
            text.encode("utf-16"),
            text.encode("latin-1", "replace"),
            content[: rng.randrange(len(content) + 1)],
            content + b"\0" * rng.choice((1, 100)),
            b"",
            b"\n" * rng.choice(LONG),
            content.replace(b"\n", b"\n" + b" " * rng.choice(LONG), 1),
            content.replace(b" ", b"\xc2\xa0"),
        )
    )


def _lines(content: bytes, rng: random.Random) -> bytes:
    """Repeat, delete, swap or move lines."""
    lines = content.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        lines.insert(other, lines[one])
    elif kind == 1:
        del lines[one]
    elif kind == 2:
        lines[one], lines[other] = lines[other], lines[one]
    elif kind == 3:
        lines[one] = lines[one] + b" " + lines[other]
    else:
        first = min(one, other)
        lines[first:first] = lines[first : max(one, other) + 1] * rng.randint(1, 3)
    return b"\n".join(lines)


def _tokens(content: bytes, rng: random.Random) -> bytes:
    """Replace, repeat, delete or swap tokens."""
    tokens = TOKEN.findall(content.decode("utf-8", "surrogateescape"))
    for _ in range(rng.randint(1, 3)):
        if not tokens:
            break
        one, other = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        kind = rng.randrange(8)
        if kind < 4:
            tokens[one] = _instead(tokens[one], rng)
        elif kind == 4:
            del tokens[one]
        elif kind == 5:
            tokens[one], tokens[other] = tokens[other], tokens[one]
        elif kind == 6:
            tokens.insert(other, tokens[one])
        else:
            tokens[one] = rng.choice(tokens)
    return "".join(tokens).encode("utf-8", "surrogateescape")


def _values(content: bytes, rng: random.Random) -> bytes:
    """Replace one value, or one key, by another of any type."""
    tokens = TOKEN.findall(content.decode("utf-8", "surrogateescape"))
    of_interest = [k for k, token in enumerate(tokens) if VALUE.match(token)]
    if rng.random() < 0.2:
        of_interest = [k for k, token in enumerate(tokens) if WORD.match(token)]
    if of_interest:
        k = rng.choice(of_interest)
        tokens[k] = _instead(tokens[k], rng)
    return "".join(tokens).encode("utf-8", "surrogateescape")


def _instead(token: str, rng: random.Random) -> str:
    kind = rng.random()
    if WORD.match(token) and token not in ("true", "false") and kind < 0.7:
        return rng.choice(KEYS)
    if kind < 0.4:
        return rng.choice(NUMBERS)
    if kind < 0.75:
        return rng.choice(TEXTS)
    if kind < 0.95:
        return rng.choice(OTHERS)
    return _large(rng)


def _large(rng: random.Random) -> str:
    """Return a value that is long, deep or both."""
    n = rng.choices(LONG, (8, 8, 4, 1))[0]
    return rng.choice(
        (
            "[" * n + "]" * n,
            "{a=" * n + "1" + "}" * n,
            "[" + "0," * n + "]",
            "[" + '"x",' * n + "]",
            '"' + "x" * n + '"',
            '"' + "../" * n + '"',
            "1" * n,
            "0." + "3" * n,
            ".".join("a" * min(n, 5_000)) + " = 1",
            "[" + ".".join("a" * min(n, 5_000)) + "]",
            " " * n,
            "[\n[" + " " * n + "\n]]",
        )
    )


def _keys(content: bytes, rng: random.Random) -> bytes:
    """Add a key or a table somewhere."""
    lines = content.split(b"\n")
    key = rng.choice(KEYS)
    value = _instead("1", rng)
    line = rng.choice(
        (
            f"{key} = {value}",
            f"[{key}]",
            f"[[{key}]]",
            f"[parties.{key}]",
            f"[parties.{rng.choice(TEXTS)}]\n{key} = {value}",
            f"{key}.{rng.choice(KEYS)} = {value}",
        )
    )
    lines.insert(rng.randrange(len(lines) + 1), line.encode("utf-8", "surrogateescape"))
    return b"\n".join(lines)


def _cells(content: bytes, rng: random.Random) -> bytes:
    """Replace a cell of a table by a value, without the marks of TOML."""
    cells = re.split(rb"([,\t\n])", content)
    for _ in range(rng.randint(1, 3)):
        value = rng.choice((rng.choice(NUMBERS), rng.choice(TEXTS).strip('"'), '"', '""', '"a,b"'))
        cells[rng.randrange(len(cells))] = value.encode()
    return b"".join(cells)


def _retyped(content: bytes, rng: random.Random) -> bytes:
    """Write a Parquet file with the same columns, or almost, of other types."""
    try:
        frame = pl.read_parquet(content)
    except Exception:
        return content
    n = rng.choice((0, 1, 3, frame.height))
    columns = {
        name: rng.choice(COLUMNS)(n)
        if rng.random() < 0.6
        else frame[name].extend_constant(None, n)[:n]
        for name in frame.columns
        if rng.random() < 0.95
    }
    if rng.random() < 0.2:
        columns[rng.choice(("element", "", "x" * 300, "é"))] = rng.choice(COLUMNS)(n)
    stream = io.BytesIO()
    try:
        pl.DataFrame(columns).write_parquet(stream)
    except Exception:
        return content
    return stream.getvalue()


def _series(values: list[object], dtype: object) -> Callable[[int], pl.Series]:
    return lambda n: pl.Series([values[k % len(values)] for k in range(n)], dtype=dtype)


COLUMNS: tuple[Callable[[int], pl.Series], ...] = (
    _series([1, None, -1], pl.Int8),
    _series([2**64 - 1, 0], pl.UInt64),
    _series([float("nan"), float("inf"), -0.0, 5e-324, None], pl.Float64),
    _series([float("inf"), 1.0], pl.Float32),
    _series(["", " ", None, "a\nb", "\0", "x" * 5_000], pl.String),
    _series(["a", "a", "é"], pl.Categorical),
    _series([b"\xff", b"", None], pl.Binary),
    _series([True, None, False], pl.Boolean),
    _series([None], pl.Null),
    _series([[1, 2], [], None], pl.List(pl.Int64)),
    _series([[1, 2]], pl.Array(pl.Int64, 2)),
    _series([{"a": 1}, None], pl.Struct({"a": pl.Int64})),
    _series([datetime.date(1, 1, 1), datetime.date(9999, 12, 31)], pl.Date),
    _series([datetime.datetime(2024, 2, 29, 1, 2, 3), None], pl.Datetime("ns")),
    _series([datetime.timedelta(days=-1), None], pl.Duration("us")),
    _series([datetime.time(23, 59)], pl.Time),
    _series([Decimal("0.10"), None], pl.Decimal(38, 10)),
)
"""Columns of every type, n rows each."""

TEXTUAL: dict[Mutation, int] = {
    _bytes: 3, _layout: 1, _lines: 3, _tokens: 4, _values: 8, _keys: 3, _cells: 2,
}  # fmt: skip
BINARY: dict[Mutation, int] = {_bytes: 5, _layout: 1, _retyped: 8}
