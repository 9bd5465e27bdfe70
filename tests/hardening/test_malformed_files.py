"""Malformed collaboration files: a result or one plain line, whatever stands in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plainness import plain

import aboveboard as ab
from aboveboard.collaborations.registry import load_mechanisms
from aboveboard.collaborations.toml_file import parse_table
from depth import up_to

STARTING = {name: rule.STARTING_FILE for name, rule in load_mechanisms().items()}
UNION = 'mechanism = "exchange.union"\n'
PARTY = '[parties.a]\nelements = ["x"]\n'

LONG = "1" * 5_000
WRONG_NUMBERS = (
    "nan", "inf", "-inf", "1e309", "-1e309", f"{LONG}", f"0.{LONG}", f"0x{LONG}", '"1/0"', '"1/"',
    '"x"', '""', "1e99999999999999999999", "true", "false", "2024-01-01", "07:32:00", "[]", "{}",
    "[[1]]", f'"{LONG}"',
)  # fmt: skip
NUMBERS = {
    "exchange.union": 'exclusivity = {}\n[parties.a]\nelements = ["x"]\n',
    "exchange.average": "[parties.a]\npoint = [{}]\n",
    "exchange.interval": "[parties.a]\ninterval = [{}, 3]\n",
    "exchange.contribution": "values = [0, {}]\n[parties.a]\n",
    "learning.payments": '[valuation]\nkind = "linear"\nmatrix = [[{}]]\n[parties.a]\nsize = 1\n',
    "learning.desirable": '[valuation]\nkind = "growth"\nalpha = {}\n[grid]\nstep = 1\nmax = 2\n'
    "[parties.a]\nsize = 1\n",
    "valuation.payments": '[utility]\nkind = "table"\nvalues = [0, {}]\n[parties.a]\n',
    "market.vcg": 'bits = 3\n[parties.a]\nendowment = ["g"]\n[parties.b]\n'
    'values = [{{goods = ["g"], value = {}}}]\n',
    "curation.fair": '[function]\nkind = "parity"\n[parties.a]\nprice = {}\nbits = [1]\n',
}
"""By mechanism: the rest of a file with a place for a number."""


def written(folder: Path, content: bytes | str) -> Path:
    path = folder / "c.toml"
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def refusal(path: Path) -> str:
    """Return the message with which a file is refused, which must be one plain line."""
    with pytest.raises(ab.InputError) as raised:
        ab.load(path)
    return plain(raised.value)


def loaded_or_refused(path: Path) -> None:
    try:
        ab.load(path)
    except ab.AboveboardError as error:
        plain(error)


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_that_can_be_used_is_refused_in_one_line(
    tmp_path: Path, name: str
) -> None:
    for value in WRONG_NUMBERS:
        text = f'mechanism = "{name}"\n' + NUMBERS[name].format(value)
        message = refusal(written(tmp_path, text))
        assert message.startswith(str(tmp_path / "c.toml")), value


@pytest.mark.parametrize("name", NUMBERS)
def test_the_same_files_load_with_a_number(tmp_path: Path, name: str) -> None:
    ab.load(written(tmp_path, f'mechanism = "{name}"\n' + NUMBERS[name].format(1)))


def test_a_zero_with_a_sign_is_zero(tmp_path: Path) -> None:
    for zero in ("0", "-0", "-0.0", "0.0", "0e10", '"-0/7"'):
        text = f'mechanism = "exchange.average"\n[parties.a]\npoint = [{zero}]\n'
        assert ab.load(written(tmp_path, text)).reports["a"] == (0,)


def test_a_number_of_thousands_of_digits_is_refused_with_its_line(tmp_path: Path) -> None:
    for number in (LONG, f"0x{'f' * 5_000}", "1e99999999999999999999"):
        message = refusal(written(tmp_path, f"{UNION}seed = {number}\n{PARTY}"))
        assert "line 2: a number has more digits than can be read" in message


@pytest.mark.parametrize("depth", [300, 5_000, 100_000])
def test_what_is_nested_too_deeply_is_refused(tmp_path: Path, depth: int) -> None:
    for deep in ("[" * depth + "]" * depth, "{a=" * depth + "1" + "}" * depth):
        refusal(written(tmp_path, f"{UNION}seed = {deep}\n{PARTY}"))


def test_a_key_of_many_parts_is_refused_before_it_costs_anything(tmp_path: Path) -> None:
    parts = ".".join("a" * 100_000)
    for text in (f"{parts} = 1", f"[{parts}]", f"x = {{{parts} = 1}}", f"[[{parts}]]"):
        assert "a key has more than 100 parts" in refusal(written(tmp_path, f"{UNION}{text}\n"))


def test_a_text_of_many_parts_is_no_key(tmp_path: Path) -> None:
    parts = ".".join("a" * 500)
    ab.load(written(tmp_path, f'{UNION}[parties.a]\nelements = [\n"{parts}",\n"x"]\n'))


def test_a_key_whose_parts_hold_quotation_marks_is_no_shorter(tmp_path: Path) -> None:
    parts = ".".join([r'"a\"b"'] * 500)
    assert "a key has more than 100 parts" in refusal(written(tmp_path, f"{UNION}{parts} = 1\n"))


@pytest.mark.parametrize("looks", [f"x = 0x{'f' * 400}", "a" + ".a" * 500])
def test_what_a_comment_or_a_text_looks_like_does_not_matter(tmp_path: Path, looks: str) -> None:
    texts = "".join(f"{q}{looks}{q},\n{q * 3}\n,{looks}\n{q * 3},\n" for q in ("'", '"'))
    text = f"texts = [\n{texts}] # {looks}\n# {looks}\n#{looks}\n"
    assert parse_table(text, tmp_path)["texts"] == [looks, f",{looks}\n"] * 2


def test_a_long_number_after_a_comment_is_refused_with_its_own_line(tmp_path: Path) -> None:
    digits = "0x" + "f" * 400
    text = f"# {digits} it's\n{UNION}seed = {digits}\n{PARTY}"
    assert "line 3: a number has more digits" in refusal(written(tmp_path, text))


def test_a_line_of_spaces_costs_no_time(tmp_path: Path) -> None:
    spaces = " " * 200_000
    text = f"{UNION}seed = [\n[{spaces}\n1]]\n{PARTY}"
    assert "line 2: key 'seed'" in refusal(written(tmp_path, text))


def test_a_long_list_is_read(tmp_path: Path) -> None:
    elements = ", ".join(f'"{k}"' for k in range(100_000))
    path = written(tmp_path, f"{UNION}[parties.a]\nelements = [{elements}]\n")
    assert len(ab.load(path).reports["a"]) == 100_000


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = written(tmp_path, UNION)
    os.truncate(path, 1 << 40)  # a hole, which costs no disk
    assert "it is larger than 64 MiB" in refusal(path)


def test_what_a_terminal_would_obey_is_shown_and_not_sent(tmp_path: Path) -> None:
    message = refusal(written(tmp_path, f'{UNION}hiding = "\\u001b[2J\\u202e\\u0007"\n{PARTY}'))
    assert "\\x1b[2J\\u202e\\x07" in message


def test_a_long_value_is_quoted_in_part(tmp_path: Path) -> None:
    assert len(refusal(written(tmp_path, f'mechanism = "{"x" * 100_000}"\n'))) < 2_000


NEAR_TOML = st.lists(
    st.sampled_from(
        ["mechanism", "parties", "a", "=", "[", "]", "{", "}", ".", ",", '"', "'", "\n", "\r", " ",
         "1", "-", "e9", "nan", "true", '"""', "\\", "#", "\0", "\ufeff", "é", "exchange.union",
         "0x", "2024-01-01", '"exchange.union"', "[parties.a]\n", "elements", "data"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(text=NEAR_TOML)
@settings(max_examples=up_to(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_nearly_toml_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    loaded_or_refused(written(tmp_path, text))


@given(content=st.binary(max_size=200))
@settings(max_examples=up_to(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    loaded_or_refused(written(tmp_path, content))


@given(data=st.data(), name=st.sampled_from(sorted(STARTING)))
@settings(max_examples=up_to(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.deep
def test_a_starting_file_with_a_value_changed_loads_or_is_refused_in_one_line(
    tmp_path: Path, data: st.DataObject, name: str
) -> None:
    lines = STARTING[name].split("\n")
    settable = [k for k, line in enumerate(lines) if " = " in line and not line.startswith("#")]
    k = data.draw(st.sampled_from(settable))
    value = data.draw(
        st.sampled_from(WRONG_NUMBERS)
        | st.integers().map(str)
        | st.floats().map(str)
        | st.text(max_size=5).map(lambda x: "'" + x + "'")
        | st.lists(st.integers(-2, 2)).map(str)
    )
    lines[k] = lines[k].partition("=")[0] + "= " + value
    loaded_or_refused(written(tmp_path, "\n".join(lines).encode("utf-8", "surrogatepass")))


MEANS = (
    'mechanism = "valuation.payments"\n[utility]\nkind = "federated-mean"\ns2 = {s2}\nt2 = {t2}\n'
    "[parties.a]\nlevel = 2\nsamples = {samples}\nweight = {weight}\n"
)


@pytest.mark.parametrize("key", ["s2", "t2", "samples", "weight"])
def test_a_number_whose_products_no_float_holds_is_refused_at_the_door(
    tmp_path: Path, key: str
) -> None:
    usual = {"s2": "1", "t2": "1", "samples": "10", "weight": "1"}
    ab.run(ab.load(written(tmp_path, MEANS.format(**{**usual, key: "1e60"}))))
    assert key in refusal(written(tmp_path, MEANS.format(**{**usual, key: "1e61"})))


def test_a_cache_whose_path_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ones.py").write_text("def one(levels):\n    return 1\n")
    text = (
        'mechanism = "valuation.payments"\n[utility]\nkind = "callable"\nfunction = "ones:one"\n'
        'cache = "\\u0000"\n[parties.a]\nlevel = 1\n'
    )
    with pytest.raises(ab.InputError, match=r"utility\.cache"):
        ab.load(written(tmp_path, text), trust_code=True)
