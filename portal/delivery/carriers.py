"""How is a row of an app's carriers made into one that sends? Unsealed, opened once, kept while in use."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy.orm import Session

from portal.core import credentials, receipt_addresses
from portal.core.provider_kinds import ProviderKind, kind_named
from portal.core.sealing import BrokenSeal
from portal.delivery import receipts
from portal.delivery.providers import installed
from portal.delivery.providers.base import Carrier, Receipt, Surroundings, WrongField
from portal.keys import Keys
from portal.models import Provider

# Waits (s): a carrier that was replaced may still be sending, and one that nobody uses is closed.
_MAY_STILL_SEND: Final = 30.0
_UNUSED: Final = 600.0
_SWEEP_EVERY: Final = 30.0

OpenCarrier = Callable[[ProviderKind, Mapping[str, str], Mapping[str, str], Surroundings], Carrier]

_log = structlog.get_logger()


@dataclass(slots=True)
class _Kept:
    carrier: Carrier | None
    modified_at: int
    used_at: float


class Carriers:
    """The carriers that are open in this process, each by its row as it was last changed. Thread-safe."""

    def __init__(
        self,
        keys: Keys,
        transaction: Callable[[], AbstractContextManager[Session]],
        now: Callable[[], int],
        *,
        base_url: str = "",
        private_hosts: frozenset[str] = frozenset(),
        open_carrier: OpenCarrier = installed.open_carrier,
    ) -> None:
        """`transaction` opens one that commits, for receipts that come over a carrier's own connection."""
        self._keys, self._transaction, self._now = keys, transaction, now
        self._base_url, self._private_hosts, self._open = base_url, private_hosts, open_carrier
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._retired: list[tuple[float, Carrier]] = []
        self._swept_at = time.monotonic()

    def open(self, row: Provider) -> Carrier | None:
        """The carrier of a row; None where its credentials or settings are missing, or open no more.

        Whether a kind needs credentials at all, its own fields say.
        """
        with self._lock:
            self._sweep()
            kept = self._kept.get(row.id)
            if kept is None or kept.modified_at != row.modified_at:
                self._retire(kept)
                kept = _Kept(self._opened(row), row.modified_at, 0.0)
                self._kept[row.id] = kept
            kept.used_at = time.monotonic()
            return kept.carrier

    def close(self) -> None:
        """Ends whatever the carriers keep open; call it when nothing is sent any more."""
        with self._lock:
            for kept in self._kept.values():
                self._retire(kept)
            self._kept.clear()
            _close_all(self._retired_before(float("inf")))

    def _opened(self, row: Provider) -> Carrier | None:
        try:
            secrets = credentials.open_up(
                self._keys.sealing, row.app_id, row.id, row.sealing_key_version, row.sealed
            )
            return self._open(kind_named(row.kind), row.settings, secrets, self._surroundings(row.id))
        except (BrokenSeal, WrongField, KeyError) as error:
            # The error may name a setting, never a secret; the log gets its kind only, as everywhere.
            _log.warning("provider_unusable", provider=row.id, app=row.app_id, error=type(error).__name__)
            return None

    def _surroundings(self, provider_id: str) -> Surroundings:
        def take(found: Sequence[Receipt]) -> int:
            return receipts.take(self._transaction, provider_id, found, self._now)

        url = receipt_addresses.url(self._base_url, self._keys.receipts, provider_id)
        return Surroundings(
            receipts_url=url if self._base_url else "", private_hosts=self._private_hosts, on_receipts=take
        )

    def _sweep(self) -> None:
        at = time.monotonic()
        if at < self._swept_at + _SWEEP_EVERY:
            return
        self._swept_at = at
        for provider_id, kept in list(self._kept.items()):
            if kept.used_at < at - _UNUSED:
                self._retire(self._kept.pop(provider_id))
        gone = self._retired_before(at - _MAY_STILL_SEND)
        if gone:
            # Whoever opens a carrier is in a transaction, and others wait for it; this may take seconds.
            threading.Thread(target=_close_all, args=(gone,), name="carriers", daemon=True).start()

    def _retire(self, kept: _Kept | None) -> None:
        if kept is not None and kept.carrier is not None:
            self._retired.append((time.monotonic(), kept.carrier))

    def _retired_before(self, before: float) -> list[Carrier]:
        gone = [carrier for at, carrier in self._retired if at <= before]
        self._retired = [(at, carrier) for at, carrier in self._retired if at > before]
        return gone


def _close_all(gone: Sequence[Carrier]) -> None:
    for carrier in gone:
        try:
            carrier.close()
        except Exception as error:  # noqa: BLE001 - a carrier that ends badly must hold nobody up
            _log.warning("provider_not_closed", error=type(error).__name__)
