"""Evidence: what each party needs to check the center, alone and offline.

Keys and signed statements, commitments to lists, a transparent log with checkpoints and receipts,
sealed messages, the joint seed, bundles, and their verification. `docs/evidence.md` describes the
protocol and every format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.evidence.bundles import Bundle, decode_bundle
from aboveboard.evidence.commitments import commit_elements, commit_order, verify_opening
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.keys import PrivateKeys, PublicKeys, generate_keys, read_keys, write_keys
from aboveboard.evidence.log import (
    Log,
    Receipt,
    export_receipt,
    make_receipt,
    verify_checkpoint,
    verify_growth,
    verify_receipt,
)
from aboveboard.evidence.rounds import Round, State, replay_log
from aboveboard.evidence.sealing import open_message, seal_message
from aboveboard.evidence.seeds import derive_seed
from aboveboard.evidence.statements import Statement, read_statement, sign_statement

if TYPE_CHECKING:
    from aboveboard.evidence.verification import verify_bundle

__all__ = [
    "Bundle",
    "Findings",
    "Log",
    "PrivateKeys",
    "PublicKeys",
    "Receipt",
    "Round",
    "State",
    "Statement",
    "commit_elements",
    "commit_order",
    "decode_bundle",
    "derive_seed",
    "export_receipt",
    "generate_keys",
    "make_receipt",
    "open_message",
    "read_keys",
    "read_statement",
    "replay_log",
    "seal_message",
    "sign_statement",
    "verify_bundle",
    "verify_checkpoint",
    "verify_growth",
    "verify_opening",
    "verify_receipt",
    "write_keys",
]


def __getattr__(name: str) -> Any:
    """Import the verification on first use: it reads lists, which a hub that serves does not."""
    if name == "verify_bundle":
        from aboveboard.evidence.verification import verify_bundle

        return verify_bundle
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
