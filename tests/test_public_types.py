"""No public name is typed `Any` where a type can be said; the rest stand here with their reasons.

Public is what a package's `__all__` lists, with its public methods and fields.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from test_sameness import Function, on_a_face

pytestmark = pytest.mark.xdist_group("source")  # the same process has read it

OTHERS_JSON = "JSON of another party, which is read key by key, each read with a check"
FROM_A_CHILD = (
    "plain data that a child process sends; `describe_rule` of commands.rounds lists keys"
)
UNREAD = "a table of TOML that no model has read yet"
OF_THE_MECHANISM = "what a mechanism says of its own, which its reader knows by its keys"

WITHOUT_A_TYPE = {
    "design": "the mechanism's own result, such as an Offer",
    "Reply.data": OF_THE_MECHANISM,
    "Share.more": OF_THE_MECHANISM,
    "Settlement.details": OF_THE_MECHANISM,
    "ParticipationGame.from_table": "further parameters of the class, as it types them",
    "Mechanism.isolate_party": UNREAD,
    "Payments.isolate_party": UNREAD,
    "Curator.isolate_party": UNREAD,
    "VCG.recall": "an entry of a manifest, which is read with a check",
    "Statement.body": OTHERS_JSON,
    "Receipt.from_dict": OTHERS_JSON,
    "Bundle.evidence": OTHERS_JSON,
    "Desk.describe_rule": FROM_A_CHILD,
    "Attendance.view": OTHERS_JSON,
    "Attendance.hand_over": OTHERS_JSON,
    "KnownHub.earlier": "keys as a file has them, compared as a whole with those of the hub",
    "Standing.view": OTHERS_JSON,
    "agree": OTHERS_JSON,
    "preview": OTHERS_JSON,
    "pull": OTHERS_JSON,
    "push": OTHERS_JSON,
    "describe_shares": OTHERS_JSON,
    "describe_terms": FROM_A_CHILD,
    "list_promises": FROM_A_CHILD,
}
"""By public name: why its type cannot be said."""


def names_any(annotation: ast.expr | None) -> bool:
    return annotation is not None and any(
        isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(annotation)
    )


def untyped(node: ast.AST, name: str) -> Iterator[str]:
    """Yield the function or class, its public methods and fields, whose types name `Any`."""
    if isinstance(node, Function):
        given = [a.annotation for a in ast.walk(node.args) if isinstance(a, ast.arg)]
        if any(map(names_any, (*given, node.returns))):
            yield name
    elif isinstance(node, ast.AnnAssign) and names_any(node.annotation):
        yield name
    elif isinstance(node, ast.ClassDef):
        if any(map(names_any, node.bases)):
            yield name
        for part in node.body:
            target = part.target if isinstance(part, ast.AnnAssign) else part
            inner = getattr(target, "name", None) or getattr(target, "id", "_")
            if not inner.startswith("_") or inner in ("__init__", "__call__"):
                yield from untyped(part, f"{name}.{inner}")


@pytest.mark.deep
def test_what_has_no_type_has_a_reason() -> None:
    found = {each for _, node in on_a_face() for each in untyped(node, node.name)}
    assert found == set(WITHOUT_A_TYPE)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def read(x: dict[str, Any]) -> int: ...", ["f"]),
        ("def read(x: object) -> Any: ...", ["f"]),
        ("class A(Base[Any]):\n    size: Any\n    _own: Any", ["f", "f.size"]),
        ("class A:\n    def read(self, *x: Any): ...", ["f.read"]),
        ("def read(x: object) -> int: ...", []),
    ],
)
def test_any_is_found(source: str, found: list[str]) -> None:
    (node,) = ast.parse(source).body
    assert list(untyped(node, "f")) == found
