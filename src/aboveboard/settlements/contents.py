"""Whether a settlement of a user's own mechanism can be written: refused before anything is.

Cost: each reply is made once more than it is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import polars as pl

from aboveboard.errors import InputError
from aboveboard.formatting import join_names
from aboveboard.mechanisms.settlement import Reply, Settlement
from aboveboard.settlements.writing import summarize

PLAIN_REMEDY = "use text, numbers, true, false, lists and tables of these"


def check_contents(settlement: Settlement) -> None:
    """Make all that a settlement would write, and write nothing.

    Raises
    ------
    InputError
        If a reply, a share or the details hold what no file can.

    Examples
    --------
    >>> from aboveboard.mechanisms import Reply, Settlement, Share
    >>> reply = Reply("json", data={1, 2})
    >>> try:
    ...     check_contents(Settlement("mine", {"ann": Share(1, 1, 0, reply)}))
    ... except InputError as error:
    ...     print(error.place)
    mechanism 'mine'
    """
    place = f"mechanism {settlement.mechanism!r}"
    for name, reply in _list_replies(settlement):
        problem, remedy = _find_problem(reply)
        if problem:
            raise InputError(place, f"{name} {problem}", remedy)
    if problem := _find_json_problem(summarize(settlement)):
        raise InputError(
            place, f"what is said of its shares, or its details, {problem}", PLAIN_REMEDY
        )


def _list_replies(settlement: Settlement) -> Iterator[tuple[str, Any]]:
    for party, share in settlement.parties.items():
        yield f"the reply of {party}", share.reply
    for name, reply in (*settlement.files.items(), *settlement.center.items()):
        yield f"the file {name}", reply


def _find_problem(reply: Any) -> tuple[str, str]:
    """Return what is wrong with a reply and what would be right; empty if nothing is."""
    if not isinstance(reply, Reply):
        return f"is {reply!r}", "return a Reply"
    forms = get_args(get_type_hints(Reply)["form"])
    if reply.form not in forms:
        return f"has the form {reply.form!r}", f"use one of {join_names(forms)}"
    if reply.content is not None:
        return ("", "") if isinstance(reply.content, bytes) else ("has no bytes", "use bytes")
    if reply.rows is None:
        return _find_json_problem(reply.data), PLAIN_REMEDY
    frame: Any = reply.rows()
    if not isinstance(frame, pl.DataFrame):
        return f"is of {type(frame).__name__}", "let rows() return a polars DataFrame"
    return "", ""


def _find_json_problem(data: Any) -> str:
    """Return why data cannot be written as JSON; empty if they can."""
    try:
        json.dumps(data)
    except (TypeError, ValueError, RecursionError) as error:
        return f"is not JSON: {error}"
    return ""
