"""How is a secret kept in a row? Sealed with AES-256-GCM by a key outside the database (OPS-05).

A seal names what it is about, such as the app and the row, so that a sealed value which was moved to
another row, or to another app, does not open there.
"""

import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
# The version of the key, in front of a value whose row has no column for it.
_VERSION = 4


class BrokenSeal(Exception):
    """A sealed value does not open: it was changed, belongs elsewhere, or its key is gone."""


def seal(keys: Mapping[int, bytes], plain: bytes, about: str) -> tuple[int, bytes]:
    """`plain` sealed with the newest of `keys` (version to 32 bytes): that version, and nonce and ciphertext.

    `about` is not kept and must be said again to open. Sealing twice gives two different values.
    """
    version = max(keys)
    nonce = secrets.token_bytes(_NONCE)
    return version, nonce + AESGCM(keys[version]).encrypt(nonce, plain, about.encode())


def unseal(keys: Mapping[int, bytes], version: int, sealed: bytes, about: str) -> bytes:
    """What was sealed about `about` with the key of `version`. Raises BrokenSeal, which tells no more."""
    try:
        key = keys[version]
    except KeyError:
        raise BrokenSeal from None
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
    except (InvalidTag, ValueError):
        raise BrokenSeal from None


def pack(keys: Mapping[int, bytes], plain: bytes, about: str) -> bytes:
    """`plain` sealed as by `seal`, in one value that begins with the version of its key."""
    version, sealed = seal(keys, plain, about)
    return version.to_bytes(_VERSION, "big") + sealed


def unpack(keys: Mapping[int, bytes], packed: bytes, about: str) -> bytes:
    """What was packed about `about`. Raises BrokenSeal."""
    return unseal(keys, packed_version(packed), packed[_VERSION:], about)


def packed_version(packed: bytes) -> int:
    """The version of the key that a packed value needs."""
    return int.from_bytes(packed[:_VERSION], "big")


def about_totp(account_id: str) -> str:
    """What the key of an account's authenticator app is sealed about."""
    return f"totp:{account_id}"


def about_provider(app_id: str, provider_id: str) -> str:
    """What the credentials of one app's provider are sealed about."""
    return f"provider:{app_id}:{provider_id}"
