"""JSON and TOML of strangers: nesting of 100,000, integers of 10,000 digits, no numbers, halves.

Whatever stands in it, each reader answers with one sentence, or takes it as something it does not
know; none ends in an error of Python.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError

import pytest

from aboveboard.commands.rounds.disputes import collect_opened
from aboveboard.commands.rounds.drafting import draft_table
from aboveboard.commands.rounds.questions import read_answer_file
from aboveboard.commands.rounds.results import parse_header
from aboveboard.commands.training_party import read_agreement
from aboveboard.errors import InputError
from aboveboard.evidence.asking import Answer, parse_answer
from aboveboard.evidence.canonical import decode_canonical, decode_json
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.own_part import read_own_file
from aboveboard.evidence.sealing import encode_context, seal_message
from aboveboard.evidence.terms import AUDITOR
from aboveboard.hub.configuration import CONFIGURATION_FILE, read_configuration
from aboveboard.hub.members import transport
from aboveboard.hub.members.known_hubs import HUB_FILE, HUBS, list_hubs
from aboveboard.hub.members.mirror import MIRROR_FILE, find_mirror
from aboveboard.learning.flower.allowance import Allowance
from aboveboard.valuation.estimation import wire
from aboveboard.valuation.evaluation import evaluations

DEEP, DIGITS = 100_000, b"9" * 10_000

JSON = {
    "nested lists": b"[" * DEEP,
    "closed nested lists": b"[" * DEEP + b"]" * DEEP,
    "nested objects": b'{"a":' * DEEP,
    "a long integer": DIGITS,
    "a long integer in an object": b'{"address": ' + DIGITS + b', "id": 1, "left": 1, "at": 1}',
    "nested in an object": b'{"address": ' + b"[" * DEEP,
    "no number": b'{"left": NaN, "at": Infinity, "known": [], "address": NaN}',
    "half a character": b'{"left": "\\ud800", "address": "\\ud800", "id": "\\ud800"}',
    "a key twice": b'{"address": 1, "address": 2}',
    "nothing": b"",
    "no UTF-8": b"\xff\xfe",
}
TOML = {
    "nested lists": b"a = " + b"[" * DEEP,
    "closed nested lists": b"a = " + b"[" * DEEP + b"]" * DEEP,
    "nested tables": b"a = " + b"{b = " * DEEP,
    "a key of many parts": b"a" + b".a" * DEEP + b" = 1",
    "a table of many parts": b"[" + b"a." * DEEP + b"a]",
    "a long integer": b"a = " + DIGITS,
    "a long integer in hexadecimal": b"a = 0x" + b"f" * 10_000,
    "half a character": b'a = "\\ud800"',
    "a key twice": b"a = 1\na = 2",
    "no UTF-8": b"a = '\xff'",
}
TRAINING = b'[training]\nengine = "flower"\nestimator = "a.B"\ntest = "t.csv"\n'


def refuse(read: Callable[[], Any]) -> str:
    """Return the one line with which something is refused."""
    with pytest.raises(InputError) as raised:
        read()
    assert "\n" not in str(raised.value)
    return str(raised.value)


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", TOML.values(), ids=TOML)
def test_toml_of_strangers_is_refused_in_a_line(tmp_path: Path, content: bytes) -> None:
    refuse(lambda: read_agreement(content, "terms.toml"))
    refuse(lambda: read_own_file(write(tmp_path / "own.toml", content)))
    refuse(lambda: draft_table(tmp_path / "own.toml"))
    write(tmp_path / CONFIGURATION_FILE, content)
    refuse(lambda: read_configuration(tmp_path))


def test_a_file_of_own_keys_may_begin_with_a_mark_of_its_encoding(tmp_path: Path) -> None:
    path = write(tmp_path / "own.toml", b"\xef\xbb\xbfinterval = [0, 1.5]\n")
    assert read_own_file(path) == ({"interval": [0, 1.5]}, {})


@pytest.mark.parametrize(
    ("more", "beginning"),
    [
        (b"clip = nan\n", "key 'training.clip': it is nan; write a number "),
        (b"rounds = 0\n", "key 'training.rounds': it is 0; write a number of at least 1"),
        (b"rounds = " + b"9" * 4000 + b"\n", f"key 'training.rounds': it is {'9' * 60} ..; write"),
        (b"steps = [1]\n", "key 'training.steps.0': it is 1; write a table"),
    ],
    ids=["no number", "too small", "too large", "no table"],
)
def test_a_wrong_key_of_a_training_is_named_with_its_line(more: bytes, beginning: str) -> None:
    said = refuse(lambda: read_agreement(TRAINING + more, "terms.toml"))
    assert said.startswith(f"terms.toml: line 5: {beginning}")


def test_all_wrong_keys_of_a_training_are_named_at_once() -> None:
    with pytest.raises(InputError) as raised:
        read_agreement(TRAINING + b"rounds = 0\nclip = 0\n", "terms.toml")
    assert [line.split(": ")[2] for line in str(raised.value).splitlines()] == [
        "key 'training.rounds'",
        "key 'training.clip'",
    ]


@pytest.mark.parametrize("content", JSON.values(), ids=JSON)
def test_json_of_strangers_is_refused_in_a_line(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / MIRROR_FILE, content)
    write(tmp_path / HUBS / "a" / HUB_FILE, content)
    allowance = write(tmp_path / "allowance", content)
    refuse(lambda: list_hubs(tmp_path))
    refuse(lambda: Allowance(allowance))
    refuse(lambda: decode_canonical(content, "a statement"))
    refuse(lambda: Answer.from_dict(_decode_or_none(content), "an answer"))
    refuse(lambda: parse_answer("votes", _decode_or_none(content), "an answer"))
    line = f"{evaluations._checksum(content.decode('latin-1'))} {content.decode('latin-1')}"
    assert evaluations._record(line) is None


def _decode_or_none(content: bytes) -> Any:
    try:
        return decode_json(content, "an answer")
    except InputError:
        return None


@pytest.mark.parametrize("content", JSON.values(), ids=JSON)
def test_json_that_may_be_read_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / MIRROR_FILE, content)
    answer = write(tmp_path / "answer.json", content)
    readers: dict[str, Callable[[], Any]] = {
        "a mirror": lambda: find_mirror(tmp_path),
        "an answer's file": lambda: read_answer_file(str(answer)),
        "an answer": lambda: read_answer_file(content.decode("latin-1")),
        "a message": lambda: wire._parse(content),
    }
    for name, read in readers.items():
        with contextlib.suppress(InputError, wire.MalformedMessage):
            assert read() is not None, name


@pytest.mark.parametrize(
    "header",
    [
        *JSON.values(),
        b'{"bundle": 1e999, "file": "reply.csv"}',
        b'{"bundle": -1, "file": "reply.csv"}',
        b'{"bundle": 1, "file": "../reply.csv"}',
        b'{"bundle": 1, "file": "bundle.json"}',
        b'{"bundle": 1, "file": null}',
        b"[]",
    ],
)
def test_a_result_whose_first_line_is_nonsense_is_refused(header: bytes) -> None:
    assert "dispute the round" in refuse(lambda: parse_header(header, "result.bin"))


@pytest.mark.parametrize("content", JSON.values(), ids=JSON)
def test_a_hub_that_answers_nonsense_is_named(content: bytes) -> None:
    body = io.BytesIO(content)
    error = HTTPError("http://hub.example", 422, "no", {}, body)
    assert "hub.example" in str(transport._read_problem("http://hub.example", error))


@pytest.mark.parametrize("part", ["answer", "allocation", "price", "good"])
def test_half_a_character_in_an_answer_is_refused_before_it_is_sealed(part: str) -> None:
    half = "\ud800"
    value: Any = {
        "answer": half,
        "allocation": {"allocation": {half: ["x"]}},
        "price": {"allocation": {"a": ["x"]}, "prices": {half: 1}},
        "good": {"allocation": {"a": [half]}},
    }[part]
    assert "this does not answer" in refuse(lambda: parse_answer("proposal", value, "answer"))


@pytest.mark.parametrize(
    ("question", "value", "said"),
    [
        ("votes", {"step_2": "perhaps", "step_3": "yes"}, "step_2: it should be 'yes' or 'no'"),
        ("proposal", {"allocation": {}, "prices": {"a": float("nan")}}, "prices.a: is nan"),
        ("bits", [0, 2], "a bit is 0 or 1"),
    ],
)
def test_what_is_no_answer_says_which_part_of_it(question: str, value: Any, said: str) -> None:
    assert said in refuse(lambda: parse_answer(question, value, "answer"))


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "as it is"])
@pytest.mark.parametrize(
    "content",
    [*JSON.values(), b'{"answers":NaN}\nno part', b'{"answers":"\\ud800"}\nno part', b"{}\n"],
)
def test_what_a_member_opens_to_the_auditor_ends_no_ruling(
    tmp_path: Path, content: bytes, *, sealed: bool
) -> None:
    auditor, terms = generate_keys(), "0" * 64
    context = encode_context(terms, "bolt", AUDITOR, "open")
    opened = seal_message(content, auditor.public.sealing, context) if sealed else content
    digest = hashlib.sha256(opened).hexdigest()
    statement = SimpleNamespace(body={"sealed": digest})
    round_: Any = SimpleNamespace(
        present=("bolt",),
        terms_digest=terms,
        find=lambda _, name: statement if name == "bolt" else None,
    )
    write(tmp_path / "round" / "sealed" / f"bolt-open-{digest[:16]}.bin", opened)
    out = tmp_path / "opened"
    out.mkdir()
    collect_opened(tmp_path / "round", round_, auditor, out)
    assert (out / "bolt.answers.json").read_bytes() == b"null"
    assert (out / "bolt.bin").read_bytes() in (b"", b"no part")
