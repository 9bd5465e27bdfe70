"""The center's keys: one pair that signs and opens, one that signs the log's checkpoints."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from aboveboard.evidence.keys import PrivateKeys


@dataclass(frozen=True)
class CenterKeys:
    """The center's keys.

    Parameters
    ----------
    center
        Sign its statements and open submissions.
    log
        Sign checkpoints.
    """

    center: PrivateKeys
    log: PrivateKeys

    def derive_key(self, purpose: str) -> bytes:
        """Return a secret key that only the center can make, 32 bytes."""
        secret = self.center.signing.private_bytes_raw()
        text = b"aboveboard center v1\n" + purpose.encode("utf-8")
        return hashlib.blake2b(text, key=secret, digest_size=32).digest()
