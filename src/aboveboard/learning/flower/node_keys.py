"""The key of a party's machine: ECDSA on the curve P-384, as Flower's nodes have.

The private key is a PEM file that only its owner can read. The public key is written as one line,
base64 of its DER bytes, which is what a collaboration file has.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from aboveboard.errors import InputError

PLACE = "--key"


def make_node_key(path: Path) -> str:
    """Write a new private key to a file, and return the public key as one line.

    Parameters
    ----------
    path
        Must not exist.

    Raises
    ------
    InputError
        If it exists, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> public = make_node_key(folder / "node.pem")
    >>> format_public_key(read_node_key(folder / "node.pem")) == public
    True
    """
    key = ec.generate_private_key(ec.SECP384R1())
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        # Nobody else can read it, not even before it is complete.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(f"{PLACE}: {path}", "it exists already", "name another file") from None
    except OSError as error:
        raise InputError(
            f"{PLACE}: {path}", f"it cannot be written ({error.strerror})", "name another file"
        ) from None
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    return format_public_key(key)


def read_node_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return a private key from a file, PEM or OpenSSH, without a passphrase.

    Raises
    ------
    InputError
        If it is missing or another kind of file or key, or others can read it.

    Examples
    --------
    >>> read_node_key.__name__
    'read_node_key'
    """
    place = f"{PLACE}: {path}"
    try:
        content, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise InputError(
            place, f"it cannot be read ({error.strerror})", "make one with --new-key"
        ) from None
    if os.name == "posix" and mode & 0o077:
        raise InputError(place, "others can read it", f"chmod 600 {path}")
    load = (
        serialization.load_ssh_private_key
        if b"OPENSSH" in content[:64]
        else serialization.load_pem_private_key
    )
    try:
        key = load(content, None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InputError(
            place, "it holds no ECDSA key without a passphrase", "make one with --new-key"
        )
    return key


def format_public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """Return the public key of a private one as one line."""
    return base64.b64encode(
        key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).decode()


def encode_for_flower(public: str, place: str) -> bytes:
    """Return a public key that is written as one line as the PEM text that Flower knows it by.

    Raises
    ------
    InputError
        If it is not one.
    """
    try:
        key = serialization.load_der_public_key(base64.b64decode(public, validate=True))
    except (binascii.Error, ValueError):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InputError(
            place, "it is not a public key", "copy the line that aboveboard party --new-key prints"
        )
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
