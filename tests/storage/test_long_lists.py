"""Lists of a kind that are read piece by piece say what those say that are read at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.storage.formats import kind_text
from aboveboard.storage.formats.kind_text import read_kind_text
from aboveboard.storage.formats.lines import read_kind_lines, split_lines

LINES = st.sampled_from(
    [
        "0.0.0.0 a.example", "0.0.0.0 b.example", "0.0.0.0 A.Example.", "0.0.0.0 localhost",
        "0.0.0.0 localhost.localdomain", "0.0.0.0 x.localdomain", "127.0.0.1 localhost",
        "192.0.2.7 server.example", "c.example", "# a comment", "", "||d.example^", "no name",
        "0.0.0.0 bücher.example # books", "192.0.2.1", "192.0.2.0/24", "ann@a.example", "a\rb",
        "a\u2028b", "\ufeffe.example", "https://a.example/x,y",
    ]
)  # fmt: skip
TEXTS = st.tuples(st.lists(LINES, max_size=30), st.sampled_from(["\n", "\r\n"]), st.booleans())


def describe(data: bytes, kind: Any, *, at_once: bool) -> Any:
    """Return all that a list of a kind says, or what is wrong with it."""
    try:
        if at_once:
            found = read_kind_lines(split_lines(data, "a.txt"), kind, "a.txt")
        else:
            found = read_kind_text(data, kind, "a.txt")
    except InputError as error:
        return str(error)
    elements = sorted(found.elements.to_list())
    return elements, found.comments, found.left_out, found.samples, found.respelled


@given(TEXTS, st.sampled_from(["domain", "address", "email", "url"]), st.sampled_from([1, 40, 200]))
def test_what_is_said_of_a_list_does_not_depend_on_pieces(
    text: tuple[list[str], str, bool], kind: Any, piece: int
) -> None:
    lines, feed, ended = text
    data = (feed.join(lines) + feed * ended).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind_text, "PIECE", piece)
        in_pieces = describe(data, kind, at_once=False)
    assert in_pieces == describe(data, kind, at_once=True)


def test_a_fault_in_a_later_piece_is_named_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind_text, "PIECE", 1000)
    lines = [f"0.0.0.0 {k}.example" for k in range(500)]
    lines[321] = "0.0.0.0 a.ex\rample"
    with pytest.raises(InputError, match="line 322"):
        read_kind_text("\n".join(lines).encode(), "domain", "hosts")
    lines[321], lines[400] = "0.0.0.0 no_name", "||x.example^$third-party"
    listed = read_kind_text("\n".join(lines).encode(), "domain", "hosts")
    assert listed.samples == {
        "names of the machine itself": ("line 322: 0.0.0.0 no_name",),
        "rules that are not bare domain": ("line 401: ||x.example^$third-party",),
    }
