"""What a reader of a training should know: what was scored on, sizes of 0, odd data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from aboveboard.formatting import format_count, join_names
from aboveboard.learning.training import leaks
from aboveboard.learning.training.center import Center
from aboveboard.learning.training.data_checks import (
    find_near_copies,
    measure_ranges,
    round_rows,
)
from aboveboard.learning.training.engine import Fingerprints, RowCount


def find_odd_data(
    center: Center,
    counts: Mapping[str, RowCount],
    fingerprints: Mapping[str, Fingerprints],
    same: Sequence[Sequence[str]],
) -> list[str]:
    """Return what is odd about the data, one sentence for each warning.

    Parameters
    ----------
    center
        What the center holds.
    counts
        What each answered first.
    fingerprints
        Digests of each one's rounded rows; empty where rows are not compared.
    same
        Groups of parties whose files are the same.
    """
    warnings = [
        f"feature {name!r} is the same in all of the center's rows, so no model may use it: "
        "what it does to a party's rows could not be measured"
        for name in center.constant
    ]
    warnings += [f"{name}: {clause}" for name, answer in counts.items() for clause in answer.odd]
    rounded = round_rows(
        center.raw_validation, center.terms, measure_ranges(center.raw_validation, center.terms)
    )
    digests = {name: answer.digests for name, answer in fingerprints.items()}
    warnings += find_near_copies(digests, leaks.estimate_chance(rounded), same)
    return warnings + [
        f"the files of {join_names(group)} are the same: together they bring no more than one of "
        "them"
        for group in same
    ]


def find_identical_data(data: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of parties whose files are the same byte for byte.

    Parameters
    ----------
    data
        By party: SHA-256 of its file; empty where it is not known.
    """
    by_content: dict[str, list[str]] = defaultdict(list)
    for name, digest in data.items():
        if digest:
            by_content[digest].append(name)
    return tuple(tuple(group) for group in by_content.values() if len(group) > 1)


def describe_center(center: Center) -> str:
    """Return which rows models are scored on, and which sizes are validated with."""
    tested = format_count(len(center.raw_test.y))
    source = "a half of the test file" if center.halved else "the validation file"
    rows = format_count(len(center.raw_validation.y))
    return (
        f"models are scored on {tested} test rows of the center; sizes are validated with {rows} "
        f"more, {source}"
    )


def describe_sizes(sizes: Mapping[str, int]) -> list[str]:
    """Return a warning where parties have no valid data."""
    nothing = [name for name, size in sizes.items() if not size]
    if len(nothing) == len(sizes):
        return [
            "no party's own model predicts the test rows better than a constant: nothing was "
            "trained together; look at training.parameters and at the features"
        ]
    if not nothing:
        return []
    return [
        f"valid size 0, so not part of the joint model: {join_names(nothing)} (its own model "
        "predicts the test rows no better than a constant)"
    ]
