"""How are JSON Web Tokens signed and read? Only the two ways that our carriers use, and no other.

Source: RFC 7515 and RFC 7519; the cryptography is that of the package of this name.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from portal.delivery.providers.base import WrongSignature

_LONGEST: Final = 8_192
_SMALLEST_KEY: Final = 2_048


def is_rsa_key(pem: str) -> bool:
    """Whether a text is an RSA private key, in PEM form and of 2048 bits at least."""
    try:
        return _rsa_key(pem).key_size >= _SMALLEST_KEY
    except ValueError:
        return False


def write_rs256(claims: Mapping[str, object], pem: str) -> str:
    """A token with these claims, signed (RS256) with an RSA private key in PEM form."""
    signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = _rsa_key(pem).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_encoded(signature)}"


def read_hs256(token: str, secret: bytes) -> dict[str, object]:
    """The claims of a token that was signed (HS256) with this secret; its times are the caller's to judge.

    Raises WrongSignature, also for a token that names another way of signing, or none.
    """
    signed, _, signature = token.rpartition(".")
    head, _, body = signed.partition(".")
    if len(token) > _LONGEST or not token.isascii():
        raise WrongSignature
    expected = _encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))
    if not hmac.compare_digest(expected, signature.rstrip("=")):
        raise WrongSignature
    if _decoded(head).get("alg") != "HS256":
        raise WrongSignature
    return _decoded(body)


@lru_cache(maxsize=64)
def _rsa_key(pem: str) -> rsa.RSAPrivateKey:
    """The key in a PEM text. Raises ValueError, which does not repeat the text."""
    try:
        found = serialization.load_pem_private_key(pem.strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("no private key") from None
    if not isinstance(found, rsa.RSAPrivateKey):
        raise ValueError("no RSA key")
    return found


def _part(content: Mapping[str, object]) -> str:
    return _encoded(json.dumps(content, separators=(",", ":")).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(part: str) -> dict[str, object]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise WrongSignature from None
    if not isinstance(found, dict):
        raise WrongSignature
    return found
