"""Evidence: what each party needs to check the center, alone and offline.

Keys and signed statements, commitments to lists, a transparent log with checkpoints and receipts,
sealed messages, the joint seed, bundles, and their verification. `docs/evidence.md` describes the
protocol and every format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.lazy_names import load_name

if TYPE_CHECKING:
    from aboveboard.evidence.bundles import Bundle, decode_bundle
    from aboveboard.evidence.commitments import commit_elements, commit_order
    from aboveboard.evidence.findings import Findings
    from aboveboard.evidence.keys import (
        PrivateKeys,
        PublicKeys,
        generate_keys,
        read_keys,
        write_keys,
    )
    from aboveboard.evidence.log import (
        Log,
        Receipt,
        export_receipt,
        make_receipt,
        verify_checkpoint,
        verify_growth,
        verify_receipt,
    )
    from aboveboard.evidence.openings import verify_opening
    from aboveboard.evidence.round_states import State
    from aboveboard.evidence.rounds import Round, replay_log
    from aboveboard.evidence.sealing import open_message, seal_message
    from aboveboard.evidence.seeds import derive_seed
    from aboveboard.evidence.statements import Statement, read_statement, sign_statement
    from aboveboard.evidence.verification import verify_bundle

# Name to module: loaded when first used, so that a small run imports what it needs.
_FACE = {
    "Bundle": "aboveboard.evidence.bundles",
    "Findings": "aboveboard.evidence.findings",
    "Log": "aboveboard.evidence.log",
    "PrivateKeys": "aboveboard.evidence.keys",
    "PublicKeys": "aboveboard.evidence.keys",
    "Receipt": "aboveboard.evidence.log",
    "Round": "aboveboard.evidence.rounds",
    "State": "aboveboard.evidence.rounds",
    "Statement": "aboveboard.evidence.statements",
    "commit_elements": "aboveboard.evidence.commitments",
    "commit_order": "aboveboard.evidence.commitments",
    "decode_bundle": "aboveboard.evidence.bundles",
    "derive_seed": "aboveboard.evidence.seeds",
    "export_receipt": "aboveboard.evidence.log",
    "generate_keys": "aboveboard.evidence.keys",
    "make_receipt": "aboveboard.evidence.log",
    "open_message": "aboveboard.evidence.sealing",
    "read_keys": "aboveboard.evidence.keys",
    "read_statement": "aboveboard.evidence.statements",
    "replay_log": "aboveboard.evidence.rounds",
    "seal_message": "aboveboard.evidence.sealing",
    "sign_statement": "aboveboard.evidence.statements",
    "verify_bundle": "aboveboard.evidence.verification",
    "verify_checkpoint": "aboveboard.evidence.log",
    "verify_growth": "aboveboard.evidence.log",
    "verify_opening": "aboveboard.evidence.openings",
    "verify_receipt": "aboveboard.evidence.log",
    "write_keys": "aboveboard.evidence.keys",
}

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
    return load_name(__name__, _FACE, name)
