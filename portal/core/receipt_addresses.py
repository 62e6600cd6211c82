"""Where does a provider send its receipts? To an address that nobody can guess, one a provider (DEL-10)."""

import hashlib
import hmac

_LENGTH = 32


def token(key: bytes, provider_id: str) -> str:
    """The last part of a provider's receipts address: 32 hexadecimal digits, made from a server key."""
    message = f"ringback-receipts:{provider_id}".encode()
    return hmac.digest(key, message, hashlib.sha256).hex()[:_LENGTH]


def is_right(key: bytes, provider_id: str, said: str) -> bool:
    """Whether `said` is the token of this provider, compared in constant time."""
    return hmac.compare_digest(token(key, provider_id).encode(), said.encode("utf-8", "replace"))


def url(base_url: str, key: bytes, provider_id: str) -> str:
    """The whole address under `base_url` (such as `https://ringback.example`)."""
    return f"{base_url.rstrip('/')}/receipts/{provider_id}/{token(key, provider_id)}"
