"""Numbers, counts, lists and tables as text: the one place that decides how a number reads.

`encode_number` and `make_plain` make data that prints exactly, for JSON; the `format_` functions
make text for people, the same in terminal and report.
"""

from aboveboard.formatting.numbers import (
    LEGIBLE,
    Number,
    describe_action,
    encode_number,
    format_amount,
    format_decimal,
    format_money,
    format_number,
    format_percent,
    format_probability,
    format_rough,
    format_roughly,
    format_rounded,
    format_transfer,
    make_plain,
    round_digits,
    state_probability,
)
from aboveboard.formatting.quantities import (
    format_bytes,
    format_count,
    format_count_typeset,
    format_digits,
    format_moment,
    format_quantity,
    format_span,
    join_names,
)
from aboveboard.formatting.tables import format_html_table, format_table

__all__ = [
    "LEGIBLE",
    "Number",
    "describe_action",
    "encode_number",
    "format_amount",
    "format_bytes",
    "format_count",
    "format_count_typeset",
    "format_decimal",
    "format_digits",
    "format_html_table",
    "format_moment",
    "format_money",
    "format_number",
    "format_percent",
    "format_probability",
    "format_quantity",
    "format_rough",
    "format_roughly",
    "format_rounded",
    "format_span",
    "format_table",
    "format_transfer",
    "join_names",
    "make_plain",
    "round_digits",
    "state_probability",
]
