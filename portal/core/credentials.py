"""How are a provider's credentials kept? As names and texts, sealed together; the last four may show."""

import json
from collections.abc import Mapping
from typing import Final

from portal.core import sealing
from portal.core.sealing import BrokenSeal

# Of a shorter secret the last four would tell too much.
_SHORTEST_THAT_SHOWS: Final = 12
_SHOWN: Final = 4


def close(
    keys: Mapping[int, bytes], app_id: str, provider_id: str, secrets: Mapping[str, str]
) -> tuple[int, bytes]:
    """The credentials (name to text) of one app's provider, sealed: the key's version, and the value."""
    plain = json.dumps(dict(secrets), ensure_ascii=False).encode()
    return sealing.seal(keys, plain, sealing.about_provider(app_id, provider_id))


def open_up(
    keys: Mapping[int, bytes], app_id: str, provider_id: str, version: int | None, sealed: bytes | None
) -> dict[str, str]:
    """What `close` sealed for this very provider; nothing where nothing was sealed. Raises BrokenSeal."""
    if sealed is None or version is None:
        return {}
    plain = sealing.unseal(keys, version, sealed, sealing.about_provider(app_id, provider_id))
    try:
        return {str(name): str(text) for name, text in json.loads(plain).items()}
    except (ValueError, AttributeError):
        raise BrokenSeal from None


def last_four(secret: str) -> str | None:
    """The last four characters of a secret; None for one so short that they would give it away."""
    return secret[-_SHOWN:] if len(secret) >= _SHORTEST_THAT_SHOWS else None
