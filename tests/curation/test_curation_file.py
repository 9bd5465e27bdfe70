"""Collaboration files of curation: what is refused, and with which words."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.errors import InputError
from calling import aboveboard
from oracles.curation_files import read_replies, write_file

F = Fraction
EXAMPLE = Path(__file__).parents[2] / "examples" / "curation" / "airlines"


# ---------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[parties.a]", "[parties.a]\ncommitment = [1.5, 0]", ["parties.a.commitment", "p is 3/2"]),
        ("[parties.b]", "[parties.b]\ncommitment = [1, -1]", ["parties.b.commitment", "q is -1"]),
        ("[parties.b]", "[parties.b]\ncommitment = [1]", ["parties.b.commitment", "two numbers"]),
        ("price = 0.1", "price = 0", ["parties.a.price", "greater than 0"]),
        ("price = 0.1", 'price = 0.1\nshape = "steep"', ["parties.a.shape", "steep", "linear"]),
        ('kind = "threshold"\nk = 2', 'kind = "threshold"', ["function", "needs k"]),
        ('kind = "threshold"\nk = 2', 'kind = "and"\nk = 2', ["function", "has no k"]),
        (
            'kind = "threshold"\nk = 2',
            'kind = "table"\nvalues = [0, 1, 1]',
            ["function.values has 3 entries", "8 sets of bits"],
        ),
        (
            'kind = "threshold"\nk = 2',
            'kind = "table"\nvalues = [0, 1, 2, 0, 0, 0, 0, 0]',
            ["function.values"],
        ),
        ("k = 2", "k = 2\nprior = 1", ["function.prior", "less than 1"]),
        ("bits = [0, 1, 1]", "bits = [0, 1]", ["parties.a", "2 rounds", "3"]),
        ("bits = [0, 1, 1]", "bits = [0, 1, 7]", ["parties.a.bits"]),
        ("bits = [0, 1, 1]", 'data = "no.csv"', ["parties.a.data", "no.csv"]),
        ("bits = [0, 1, 1]", 'data = "two.csv"', ["parties.a.data", "2 columns"]),
        ("bits = [0, 1, 1]", 'data = "bad.csv"', ["parties.a.data", "round 2", "'2'"]),
        ("bits = [0, 1, 1]", 'data = "none.csv"', ["parties.a.data"]),
        ("bits = [0, 1, 1]", "bits = []", ["parties.a.bits", "no rounds"]),
        ("bits = [0, 1, 1]", 'data = "first.csv"', ["parties.a.data", "round 1", "'2'"]),
        ("bits = [0, 1, 1]", 'data = "gap.csv"', ["parties.a.data", "line 3", "blank"]),
        (
            'kind = "threshold"\nk = 2',
            'kind = "callable"\nfunction = "mine:gone"',
            ["function", "gone"],
        ),
        (
            'kind = "threshold"\nk = 2',
            'kind = "callable"\nfunction = "mine:fails"',
            ["mine:fails", "ZeroDivisionError"],
        ),
        (
            'kind = "threshold"\nk = 2',
            'kind = "callable"\nfunction = "mine:three"',
            ["mine:three", "returns 3"],
        ),
        (
            'kind = "threshold"\nk = 2',
            'kind = "callable"\nfunction = "broken:f"',
            ["function", "SyntaxError"],
        ),
        (
            'kind = "threshold"\nk = 2',
            'kind = "callable"\nfunction = "mine:array"',
            ["mine:array", "ValueError"],
        ),
        ("price = 0.1", 'price = 0.1\nshape = "mine:free"', ["mine:free", "truth costs nothing"]),
        (
            "price = 0.1",
            'price = 0.1\nshape = "mine:signed"',
            ["curation.toml", "mine:signed", "(0, 1) is -1"],
        ),
        ("price = 0.1", 'price = 0.1\nshape = "mine:fails"', ["mine:fails", "TypeError"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_its_place(
    tmp_path: Path, old: str, new: str, said: list[str]
) -> None:
    (tmp_path / "two.csv").write_text("x,y\n0,1\n1,1\n0,0\n")
    (tmp_path / "bad.csv").write_text("late\n0\n2\n1\n")
    (tmp_path / "none.csv").write_text("late\n")
    (tmp_path / "first.csv").write_text("2\n0\n1\n")
    (tmp_path / "gap.csv").write_text("late\n0\n\n1\n1\n")
    (tmp_path / "mine.py").write_text(
        "def fails(bits):\n    return 1 // 0\n"
        "def three(bits):\n    return 3\n"
        "def free(p, q):\n    return 0\n"
        "def signed(p, q):\n    return p - q\n"
        "import numpy as np\ndef array(bits):\n    return np.array(bits)\n"
    )
    (tmp_path / "broken.py").write_text("def f(bits:\n")
    path = write_file(tmp_path, {"a": [0, 1, 1], "b": [1, 0, 1]}, center=[1, 1, 0])
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        ab.run(ab.load(path, trust_code=True))
    message = str(caught.value)
    assert "\n" not in message
    for each in said:
        assert each in message


@pytest.mark.parametrize("text", ["0\n1\n1\n", "late\r\n0\r\n1\r\n1\r\n", '"0"\n"1"\n"1"\n\n'])
def test_a_column_of_bits_may_have_a_name_or_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    path = write_file(tmp_path, {"a": [0, 1, 1]}, center=[1, 1, 0])
    here = read_replies(path, "a")
    path.write_text(path.read_text().replace("bits = [0, 1, 1]", 'data = "a.csv"'))
    np.testing.assert_array_equal(read_replies(path, "a"), here)


def test_the_command_line_exits_with_2_and_one_line(tmp_path: Path) -> None:
    path = write_file(tmp_path, {"a": [0, 1]}, more={"a": "commitment = [2, 0]"}, center=[0, 1])
    ran = aboveboard("check", path)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "parties.a.commitment" in ran.stderr


def test_a_run_without_bits_is_refused_but_a_design_is_not(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "curation.fair"\n[function]\nkind = "majority"\n[parties.a]\nprice = 0.1\n'
    )
    collaboration = ab.load(path)
    assert collaboration.mechanism.offer().as_dict()["helpless"] in (True, False)
    with pytest.raises(InputError, match="bits are missing"):
        ab.run(collaboration)


def test_a_seed_that_everybody_can_guess_is_noted_where_it_reveals_something(
    tmp_path: Path,
) -> None:
    partly = {"a": "commitment = [0.75, 0.25]"}
    path = write_file(tmp_path, {"a": (0, 1) * 4, "b": (1, 0) * 4}, more=partly)
    assert ab.run(ab.load(path)).details["notes"] == []
    path.write_text(path.read_text().replace("seed = 5", "seed = 0"))
    (note,) = ab.run(ab.load(path)).details["notes"]
    assert "the messages of a," in note
    path.write_text(path.read_text().replace("[0.75, 0.25]", "[1, 0]"))
    assert ab.run(ab.load(path)).details["notes"] == []
