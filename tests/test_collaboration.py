"""The collaboration file: what is read, and what is refused in one line that helps."""

from __future__ import annotations

from fractions import Fraction
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.collaborations.collaboration import run
from aboveboard.collaborations.registry import load_mechanisms

UNION = 'mechanism = "exchange.union"\n'
PARTY = '[parties.a]\nelements = ["x"]\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "c.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_contract_of_the_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "alpha.txt").write_text("a\nb\n")
    (tmp_path / "beta.csv").write_text("domain,seen\nb,1\nc,2\n")
    path = written(
        tmp_path,
        'name = "lists"\nmechanism = "exchange.union"\nhiding = "partial"\nrule = "best-group"\n'
        'seed = 7\nexclusivity = 0.3\n[parties.alpha]\ndata = "alpha.txt"\n'
        '[parties.beta]\ndata = "beta.csv"\nkey = "domain"\nexclusivity = "5/12"\n',
    )
    collaboration = ab.load(path)
    assert {name: (x.low, x.high) for name, x in collaboration.mechanism.exclusivity.items()} == {
        "alpha": (Fraction(3, 10),) * 2,
        "beta": (Fraction(5, 12),) * 2,
    }
    assert set(collaboration.inputs) == {"alpha.txt", "beta.csv"}
    settlement = ab.run(collaboration)
    assert {n: s.benefit for n, s in settlement.parties.items()} == {"alpha": 1, "beta": 1}


def test_hiding_decides_the_rule_where_none_is_named(tmp_path: Path) -> None:
    for hiding, rule in (("partial", "equal-gain"), ("all-or-nothing", "all-or-nothing")):
        collaboration = ab.load(written(tmp_path, f'{UNION}hiding = "{hiding}"\n{PARTY}'))
        assert collaboration.mechanism.rule.name == rule


WRONG = {
    'mechanism = "exchange.unoin"\n': "line 1: key 'mechanism': no mechanism is called "
    "'exchange.unoin'; did you mean 'exchange.union'?",
    f'{UNION}hidding = "partial"\n{PARTY}': "line 2: key 'hidding': no such key; "
    "did you mean 'hiding'?",
    f"{UNION}[parties.a]\nelemnts = []\n": "line 3: key 'parties.a.elemnts': no such key; "
    "did you mean 'elements'?",
    f"{UNION}seed = -1\n{PARTY}": "line 2: key 'seed': it is -1; "
    "write a number of at least 0, or text",
    f"{UNION}seed = 1.5\n{PARTY}": "line 2: key 'seed': it is 1.5; write a whole number or text",
    f'{UNION}hiding = "some"\n{PARTY}': "line 2: key 'hiding': it is 'some'; "
    "write 'partial' or 'all-or-nothing'",
    f'{UNION}hiding = "parial"\n{PARTY}': "it is 'parial'; did you mean 'partial'? write",
    f"{UNION}name = 3\n{PARTY}": "line 2: key 'name': it is 3; write text",
    f"{UNION}parties = [1]\n": "line 2: key 'parties': it is [1]; write a table",
    f"{UNION}[parties.a]\nelements = 'x'\n": "key 'parties.a.elements': it is 'x'; write a list",
    f"{UNION}[parties]\n": "key 'parties': it is empty; write 1 or more",
    'mechanism = "exchange.interval"\n[parties.a]\ninterval = [3, true, 1]\n': "key "
    "'parties.a.interval': it has 3 entries; write 2 at most",
    f"{UNION}[parties.a]\n": "line 2: key 'parties.a': write either data",
    f'{UNION}[parties.a]\ndata = "nope.txt"\n': "there is no such file",
    UNION: "key 'parties': it is missing",
    "x =": "this is not TOML",
    "": "key 'mechanism': it is missing",
    f'{UNION}rule = "two-party"\n{PARTY}': "rule 'two-party': it is for 2 parties and there are 1",
    f'{UNION}[parties."../x"]\nelements = []\n': "this cannot be a party's name",
    f"{UNION}[parties.A]\nelements = []\n[parties.a]\nelements = []\n": "in case only",
    f"{UNION}exclusivity = nan\n{PARTY}": "line 2: key 'exclusivity': it is NaN",
    f"{UNION}exclusivity = true\n{PARTY}": "line 2: key 'exclusivity': it is true; write a number",
    f'{UNION}exclusivity = "1/0"\n{PARTY}': "line 2: key 'exclusivity': it is 1/0",
    f'{UNION}exclusivity = "much"\n{PARTY}': "it is much, which is not a finite number; write a",
    f"{UNION}exclusivity = -0.3\n{PARTY}": "line 2: key 'exclusivity': it is -0.3",
    f"{UNION}[parties.a]\nelements = [1]\n": "line 3: key 'parties.a.elements.0': it is 1",
    f'{UNION}normalize = "upper"\n{PARTY}': "line 2: key 'normalize': it is 'upper'; write true",
    'mechanism = "exchange.interval"\n[parties.a]\ninterval = [3, 1]\n': "starts at 3 and ends",
    'mechanism = "exchange.interval"\n[parties.a]\ninterval = [0, 1]\n[parties.b]\n'
    "interval = [2, 3]\n": "parties.b.interval: starts at 2, after parties.a.interval ends at 1",
    'mechanism = "exchange.average"\n[parties.a]\npoint = [3, 1]\n[parties.b]\npoint = [1]\n': (
        "the point of b has 1 coordinate and that of a has 2"
    ),
    'mechanism = "exchange.contribution"\nvalues = [0, 1, 2]\n[parties.b]\n': (
        "values has 3 entries; write 2, one for each coalition of 1 party"
    ),
    'mechanism = "exchange.contribution"\nvalues = [0, 1, 2, 1]\n[parties.b]\n[parties.c]\n': (
        "{c} has 2 and {b, c} only 1; a larger coalition must not be worth less"
    ),
    'mechanism = "exchange.contribution"\nfunction = "os:nope"\n[parties.b]\n': (
        "no attribute 'nope'"
    ),
}


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ab.InputError) as raised:
        ab.load(path, trust_code=True)
    message = str(raised.value)
    assert WRONG[text] in message
    assert message.startswith(str(path))
    assert "\n" not in message
    assert raised.value.remedy


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(b'name = "a"\nmechanism = "\xff"\n')
    with pytest.raises(ab.InputError, match="line 2: this is not UTF-8"):
        ab.load(path)


def test_numbers_that_are_written_exactly_are_taken_exactly(tmp_path: Path) -> None:
    path = written(
        tmp_path, 'mechanism = "exchange.average"\n[parties.a]\npoint = [0.1, "1/3", 2]\n'
    )
    assert ab.load(path).reports["a"] == (Fraction(1, 10), Fraction(1, 3), Fraction(2))


def test_a_callable_may_live_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "worth_of_names.py").write_text("def value(names):\n    return len(names)\n")
    path = written(
        tmp_path,
        'mechanism = "exchange.contribution"\nfunction = "worth_of_names:value"\n'
        "[parties.a]\n[parties.b]\n",
    )
    assert [s.benefit for s in ab.run(ab.load(path, trust_code=True)).parties.values()] == [1, 1]


def test_a_callable_that_fails_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "failing_value.py").write_text("def value(names):\n    raise RuntimeError('no')\n")
    path = written(
        tmp_path,
        'mechanism = "exchange.contribution"\nfunction = "failing_value:value"\n[parties.a]\n',
    )
    with pytest.raises(ab.InputError, match="it failed with RuntimeError: no"):
        ab.load(path, trust_code=True)


NAMES = entry_points(group="aboveboard.mechanisms").names


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_mechanism_says_what_it_assumes_and_its_starting_file_runs(
    name: str, tmp_path: Path
) -> None:
    rule = load_mechanisms()[name]
    assert name == rule.NAME
    assert all((rule.SUMMARY, rule.ASSUMES, rule.GUARANTEES, rule.SOURCE, rule.UNIT))
    collaboration = ab.load(written(tmp_path, rule.STARTING_FILE))
    assert set(run(collaboration).parties) == set(collaboration.file.parties)
    if name.startswith("exchange."):
        assert ab.audit(collaboration)["ex-post IC"].status == "holds"


def test_the_order_of_parties_in_the_file_changes_nothing_for_a_party(tmp_path: Path) -> None:
    tables = [
        '[parties.a]\nelements = ["1", "2", "3"]\n',
        '[parties.b]\nelements = ["3", "4", "5"]\n',
        '[parties.c]\nelements = ["6", "1"]\n',
    ]
    seen = []
    for order in (tables, tables[::-1]):
        settlement = ab.run(ab.load(written(tmp_path, UNION + "seed = 3\n" + "".join(order))))
        seen.append(
            {n: (s.benefit, s.reply.rows().to_dicts()) for n, s in settlement.parties.items()}
        )
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "taste",
    ["0.3333333333333333", "9000000000000000000", '"1/4611686018427387904"', "1e400", "1e-30",
     '"1e999999999"'],
)  # fmt: skip
def test_a_taste_that_would_not_fit_64_bits_is_refused_at_the_door(
    tmp_path: Path, taste: str
) -> None:
    path = written(tmp_path, f"{UNION}exclusivity = {taste}\n{PARTY}")
    with pytest.raises(ab.InputError, match="line 2: key 'exclusivity'"):
        ab.load(path)


def test_an_error_of_the_whole_file_names_the_file_once(tmp_path: Path) -> None:
    path = written(tmp_path, f'{UNION}rule = "two-party"\n{PARTY}')
    with pytest.raises(ab.InputError) as refusal:
        ab.load(path)
    assert str(refusal.value).count(path.name) == 1


def test_what_a_callable_prints_stays_out_of_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "talking_value.py").write_text("def value(names):\n    print('hi')\n    return 1\n")
    path = written(
        tmp_path,
        'mechanism = "exchange.contribution"\nfunction = "talking_value:value"\n[parties.a]\n',
    )
    ab.load(path, trust_code=True)
    assert capsys.readouterr().out == ""
