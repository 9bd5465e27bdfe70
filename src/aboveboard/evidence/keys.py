"""Keys of members and of the center: one to sign with, one to open sealed messages with.

Signing keys are Ed25519, sealing keys X25519, both from `cryptography`. Private keys are PEM files
(PKCS 8) that only their owner can read, encrypted if a passphrase is given. Public keys are text:
"ed25519:" or "x25519:" and 64 hexadecimal digits.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from aboveboard.errors import InputError

SIGNING_FILE = "signing.pem"
SEALING_FILE = "sealing.pem"
PUBLIC_FILE = "public.json"
"""The files of a folder of keys; the last one is what others get."""

PRIVATE = 0o600
"""Only the owner reads a private file."""

PRIVATE_FOLDER = 0o700
"""Only the owner looks into a private folder."""

MOST_PEM_BYTES = 4096
"""A PEM file of one key has a few hundred bytes."""

FINGERPRINT_DIGITS = 32
"""Of a fingerprint: to make keys of somebody else's takes 2^128 tries, which nobody can pay for."""

_TEXT = re.compile(r"(ed25519|x25519):([0-9a-f]{64})")


@dataclass(frozen=True)
class PublicKeys:
    """The public half of somebody's keys.

    Parameters
    ----------
    signing
        "ed25519:" and the key in hexadecimal: verifies what they sign.
    sealing
        "x25519:" and the key in hexadecimal: seals messages to them.

    Raises
    ------
    ValueError
        If a text is no such key.

    Examples
    --------
    >>> public = generate_keys().public
    >>> sorted(public.as_dict())
    ['sealing', 'signing']
    """

    signing: str
    sealing: str

    def __post_init__(self) -> None:
        for name, kind in (("signing", "ed25519"), ("sealing", "x25519")):
            match = _TEXT.fullmatch(getattr(self, name))
            if match is None or match[1] != kind:
                raise ValueError(f"{name} is no {kind} key: '{kind}:' and 64 hexadecimal digits")

    @property
    def fingerprint(self) -> str:
        """Hexadecimal digits by which people compare keys: of 128 bits, so that none are forged."""
        whole = hashlib.sha256(f"{self.signing} {self.sealing}".encode()).hexdigest()
        return whole[:FINGERPRINT_DIGITS]

    @property
    def grouped_fingerprint(self) -> str:
        """The same in groups of four, to be read out."""
        return " ".join(self.fingerprint[i : i + 4] for i in range(0, FINGERPRINT_DIGITS, 4))

    def has_fingerprint(self, told: str) -> bool:
        """Return whether this is their fingerprint, as somebody typed what was read out."""
        return re.sub(r"[\s-]+", "", told).lower() == self.fingerprint

    def as_dict(self) -> dict[str, str]:
        """Return plain data."""
        return {"signing": self.signing, "sealing": self.sealing}

    @classmethod
    def from_dict(cls, data: object, place: str) -> PublicKeys:
        """Return the keys in plain data.

        Raises
        ------
        InputError
            If they are not two keys.
        """
        table = data if isinstance(data, dict) else {}
        try:
            return cls(**table)  # exactly these two
        except (TypeError, ValueError) as error:
            raise InputError(
                place, f"these are not public keys ({error})", "send public.json of 'keys new'"
            ) from error


def verify_signature(signing: str, signature: bytes, content: bytes) -> bool:
    """Return whether a signature over some bytes was made with this key.

    Parameters
    ----------
    signing
        The public key as text.
    signature
        64 bytes.
    content
        What was signed.
    """
    match = _TEXT.fullmatch(signing)
    if match is None or match[1] != "ed25519":
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(match[2])).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_sealing_key(sealing: str) -> X25519PublicKey:
    """Return the public sealing key that a text stands for.

    Raises
    ------
    ValueError
        If it is no such key.
    """
    match = _TEXT.fullmatch(sealing)
    if match is None or match[1] != "x25519":
        raise ValueError("this is not an x25519 key: 'x25519:' and 64 hexadecimal digits")
    return X25519PublicKey.from_public_bytes(bytes.fromhex(match[2]))


@dataclass(frozen=True)
class PrivateKeys:
    """Somebody's own keys.

    Parameters
    ----------
    signing
        Signs statements.
    sealing
        Opens messages that were sealed to the owner.

    Examples
    --------
    >>> keys = generate_keys()
    >>> verify_signature(keys.public.signing, keys.sign(b"text"), b"text")
    True
    """

    signing: Ed25519PrivateKey
    sealing: X25519PrivateKey

    @property
    def public(self) -> PublicKeys:
        """The public half."""
        return PublicKeys(
            f"ed25519:{self.signing.public_key().public_bytes_raw().hex()}",
            f"x25519:{self.sealing.public_key().public_bytes_raw().hex()}",
        )

    def sign(self, content: bytes) -> bytes:
        """Return the signature over some bytes, 64 bytes."""
        return self.signing.sign(content)


def generate_keys() -> PrivateKeys:
    """Return new keys from the system's randomness.

    Examples
    --------
    >>> keys = generate_keys()
    >>> len(keys.public.signing), keys.public == generate_keys().public
    (72, False)
    """
    return PrivateKeys(Ed25519PrivateKey.generate(), X25519PrivateKey.generate())


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner looks into, and each that is missing on the way to it.

    Raises
    ------
    OSError
        If it cannot be made, or a file is there.
    """
    for place in (*reversed(folder.parents), folder):  # `mkdir(parents=True)` opens those before
        if not place.is_dir():
            place.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def write_keys(keys: PrivateKeys, folder: Path, passphrase: bytes | None = None) -> None:
    """Write keys into a new folder that only its owner can read.

    Parameters
    ----------
    keys
        What is written.
    folder
        The folder; made here, with its parents.
    passphrase
        Encrypts the private keys; None: they are readable to whoever reads the files.

    Raises
    ------
    InputError
        If the folder exists, or cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> keys = generate_keys()
    >>> with TemporaryDirectory() as place:
    ...     write_keys(keys, Path(place, "keys"))
    ...     print(read_keys(Path(place, "keys")).public == keys.public)
    True
    """
    try:
        make_private_folder(folder.parent)
        folder.mkdir(mode=PRIVATE_FOLDER)
        for name, key in ((SIGNING_FILE, keys.signing), (SEALING_FILE, keys.sealing)):
            write_private(folder / name, _encode_pem(key, passphrase))
        public = f'{{"sealing":"{keys.public.sealing}","signing":"{keys.public.signing}"}}'
        (folder / PUBLIC_FILE).write_text(public, encoding="utf-8", newline="\n")
    except FileExistsError as error:
        raise InputError(
            str(folder), "it exists", "keep these keys, or name another folder"
        ) from error
    except OSError as error:
        raise InputError(
            str(folder), f"it cannot be written ({error.strerror})", "name another folder"
        ) from error


def read_keys(folder: Path, passphrase: bytes | None = None) -> PrivateKeys:
    """Return the keys of a folder.

    Raises
    ------
    InputError
        If a file is missing, open to others, no such key, or the passphrase is wrong or missing.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> keys = generate_keys()
    >>> with TemporaryDirectory() as place:
    ...     write_keys(keys, Path(place, "keys"), b"a passphrase")
    ...     print(read_keys(Path(place, "keys"), b"a passphrase").public == keys.public)
    True
    """
    signing = _read_pem(folder / SIGNING_FILE, passphrase)
    sealing = _read_pem(folder / SEALING_FILE, passphrase)
    if not isinstance(signing, Ed25519PrivateKey) or not isinstance(sealing, X25519PrivateKey):
        raise InputError(
            str(folder), "its keys are of another kind", "make keys with 'aboveboard keys new'"
        )
    return PrivateKeys(signing, sealing)


def read_public(path: Path) -> PublicKeys:
    """Return the public keys in a file.

    Raises
    ------
    InputError
        If it cannot be read or holds no public keys.
    """
    from aboveboard.evidence.canonical import decode_json

    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            str(path), f"it cannot be read ({error.strerror})", "name a member's public.json"
        ) from error
    return PublicKeys.from_dict(decode_json(content, str(path), most=MOST_PEM_BYTES), str(path))


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; it is never readable to others in between."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _encode_pem(key: Ed25519PrivateKey | X25519PrivateKey, passphrase: bytes | None) -> bytes:
    encryption = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def _read_pem(path: Path, passphrase: bytes | None) -> Any:
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise InputError(
                str(path), "others can read this private key", f"run 'chmod 600 {path.name}'"
            )
        with path.open("rb") as file:
            content = file.read(MOST_PEM_BYTES)
    except OSError as error:
        raise InputError(
            str(path),
            f"it cannot be read ({error.strerror})",
            "make keys with 'aboveboard keys new'",
        ) from error
    try:
        return serialization.load_pem_private_key(content, passphrase)
    except TypeError as error:
        remedy = "leave the passphrase out" if passphrase else "give its passphrase"
        raise InputError(str(path), "the passphrase does not fit", remedy) from error
    except ValueError as error:
        raise InputError(
            str(path),
            "it is not a private key, or the passphrase is wrong",
            "give its passphrase, or make keys with 'aboveboard keys new'",
        ) from error
