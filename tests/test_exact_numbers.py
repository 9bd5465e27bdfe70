"""Numbers in a collaboration file are taken exactly, and none takes long to read."""

from __future__ import annotations

from fractions import Fraction

import pytest
from pydantic import TypeAdapter, ValidationError

from aboveboard.mechanisms.file_model import Exact

READ = TypeAdapter(Exact).validate_python


@pytest.mark.parametrize(
    ("written", "meant"),
    [("5/12", Fraction(5, 12)), ("0.3", Fraction(3, 10)), (0.3, Fraction(3, 10)),
     (" 1e-2 ", Fraction(1, 100)),
     ("1_0e0_1", Fraction(100))],
)  # fmt: skip
def test_a_number_means_what_it_says(written: object, meant: Fraction) -> None:
    assert READ(written) == meant


@pytest.mark.parametrize(
    "written",
    ["1e99999999999999999999", "1e9_9_9_9_9_9_9_9_9_9", "1e9999999999 ", "1E+9999999999",
     "1e-9999999999",
     "1e٩٩٩٩٩٩٩٩٩٩", "9" * 301, "nan", "inf", "1/0", True, None, "ten"],
)  # fmt: skip
def test_what_would_take_long_or_is_no_number_is_refused_at_once(written: object) -> None:
    with pytest.raises(ValidationError):
        READ(written)
