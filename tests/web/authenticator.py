"""What does an authenticator do? A security key in Python, which makes passkeys and signs with them."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _cbor(value: Any) -> bytes:
    """Just as much CBOR as a passkey needs."""
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(_cbor(part) for pair in value.items() for part in pair)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    return _head(0, value) if value >= 0 else _head(1, -1 - value)


def _head(kind: int, size: int) -> bytes:
    if size < 24:
        return bytes([kind << 5 | size])
    if size < 256:
        return bytes([kind << 5 | 24, size])
    return bytes([kind << 5 | 25]) + size.to_bytes(2, "big")


@dataclass
class Authenticator:
    """One passkey on one key. `knows_its_person` says whether it asks for a PIN or a finger."""

    origin: str = "http://localhost"
    host: str = "localhost"
    knows_its_person: bool = True
    signed: int = 0
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, challenge: str) -> str:
        """What a browser answers when a passkey was made for `challenge` (base64url)."""
        point = self.key.public_key().public_numbers()
        cose = _cbor({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        about = self._about(ATTESTED) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        told = {
            "clientDataJSON": _b64(self._client("webauthn.create", challenge)),
            "attestationObject": _b64(_cbor({"fmt": "none", "attStmt": {}, "authData": about})),
            "transports": ["usb"],
        }
        return self._answer(told)

    def sign(self, challenge: str) -> str:
        """What a browser answers when the passkey signed `challenge` (base64url)."""
        self.signed += 1
        about, client = self._about(0), self._client("webauthn.get", challenge)
        signature = self.key.sign(about + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        told = {
            "clientDataJSON": _b64(client),
            "authenticatorData": _b64(about),
            "signature": _b64(signature),
        }
        return self._answer(told)

    def _about(self, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.knows_its_person else 0)
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.signed.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, told: dict[str, object]) -> str:
        return json.dumps(
            {"id": _b64(self.id), "rawId": _b64(self.id), "type": "public-key", "response": told}
        )
