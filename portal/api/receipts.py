"""Where do carriers tell what became of an SMS? One address a provider; nothing is asked of a browser here.

The address holds a token that only Ringback can make, and the carrier's own signature is checked over the
request as it came (DEL-10). Whatever is sent here, nobody learns more than a status.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import structlog
from flask import Blueprint, Response, current_app, request
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from portal import clock
from portal.core import receipt_addresses
from portal.core.provider_kinds import ProviderKind, kind_named
from portal.core.sealing import BrokenSeal
from portal.database import reading, transaction
from portal.delivery import receipts, unreadable_receipts
from portal.delivery.providers import installed
from portal.delivery.providers.base import (
    Arrived,
    Receipt,
    Surroundings,
    UnreadableReceipt,
    WrongField,
    WrongSignature,
)
from portal.models import ActorKind, Provider
from portal.services import fences, providers
from portal.services.context import Caller

receipts_blueprint = Blueprint("receipts", __name__)

# Bytes; a carrier's report of many messages at once stays far below.
LARGEST: Final = 64 * 1024
MOST_PAIRS: Final = 1_000
_RULE: Final = "/receipts/<id:provider_id>/<string:token>"
# Twilio takes an answer with a body for instructions; the others ask for 200.
_TAKEN: Final[Mapping[ProviderKind, int]] = {ProviderKind.TWILIO: 204}
# SMPP brings its receipts over the connection that SMS leave by.
_WITHOUT_DOOR: Final = frozenset({ProviderKind.SMPP})

_logger = structlog.get_logger()


@receipts_blueprint.route(_RULE, methods=["GET", "POST"], provide_automatic_options=False)
def take(provider_id: str, token: str) -> Response:
    """Takes what a carrier reports: 200 or 204, 403 for a wrong token or signature, 404 for one that is gone.

    A report of a message that is not there, that was told before, or that cannot be read changes no message
    and is taken too.
    """
    # Asked before any row is looked for, so that nobody learns which providers there are (TEN-02).
    key = current_app.extensions["ringback"].keys.receipts
    if not receipt_addresses.is_right(key, provider_id, token):
        return _answer(403)
    # The address says which carrier, and its row says of which app it is.
    fences.open_to_all(reading())
    provider = reading().get(Provider, provider_id)
    if provider is None or kind_named(provider.kind) in _WITHOUT_DOOR:
        return _answer(404)
    fences.stand(reading(), provider.app_id)
    kind, body = kind_named(provider.kind), _body()
    if len(body) > LARGEST:
        return _answer(413)
    try:
        found = _read(provider, kind, body)
    except WrongSignature:
        _logger.info("receipt_refused", provider=provider_id)
        return _answer(403)
    except UnreadableReceipt as odd:
        # Taken all the same: the next try of the same report would be no easier to read.
        with transaction() as session:
            unreadable_receipts.count(session, provider_id, odd.trouble, clock.now())
        _logger.warning("receipt_unreadable", provider=provider_id, trouble=odd.trouble.value)
        return _answer(_TAKEN.get(kind, 200))
    if found:
        # One that comes before its SMS was noted as taken is looked at again within the next second.
        with current_app.extensions["ringback"].while_waiting():
            changed = receipts.take(transaction, provider_id, found, clock.now)
        _logger.info("receipts_taken", provider=provider_id, receipts=len(found), changed=changed)
    return _answer(_TAKEN.get(kind, 200))


def _body() -> bytes:
    # One byte more, because werkzeug cuts a body of unknown length off at the limit without a word.
    request.max_content_length = LARGEST + 1
    return request.get_data(cache=False, parse_form_data=False)


def _read(provider: Provider, kind: ProviderKind, body: bytes) -> list[Receipt]:
    parts = current_app.extensions["ringback"]
    ctx = parts.context(reading(), Caller(ActorKind.SYSTEM, provider.app_id))
    base = parts.settings.base_url or request.host_url
    around = Surroundings(
        receipts_url=receipt_addresses.url(base, parts.keys.receipts, provider.id),
        private_hosts=parts.settings.private_hosts,
    )
    try:
        secrets = providers.secrets_of(ctx, provider)
        carrier = installed.open_carrier(kind, provider.settings, secrets, around)
    except (BrokenSeal, WrongField):
        # Without its credentials nothing can be proven, so nothing is believed.
        raise WrongSignature from None
    # Nothing of the database is held while the request is read.
    reading().rollback()
    try:
        return carrier.read_receipts(_arrived(base, body))
    finally:
        carrier.close()


def _arrived(base: str, body: bytes) -> Arrived:
    """The request as the carrier made it: proxies change scheme and host, our own address does not."""
    query = request.query_string.decode("latin-1")
    is_form = request.mimetype == "application/x-www-form-urlencoded"
    return Arrived(
        method=request.method,
        url=f"{base.rstrip('/')}{request.path}{'?' if query else ''}{query}",
        headers={name.lower(): value for name, value in request.headers.items()},
        query=_pairs(query),
        form=_pairs(body.decode("utf-8", "replace")) if is_form else (),
        body=body,
    )


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PAIRS))
    except ValueError:
        return ()


def _answer(status: int) -> Response:
    """A status and nothing else: the same bytes, whatever was asked."""
    return Response("", status, content_type="text/plain", headers={"Cache-Control": "no-store"})


@receipts_blueprint.errorhandler(HTTPException)
def answer_to_http(error: HTTPException) -> Response:
    """What werkzeug refuses by itself, such as a body that is too large."""
    return _answer(error.code or 400)


@receipts_blueprint.errorhandler(OperationalError)
@receipts_blueprint.errorhandler(PoolTimeout)
@receipts_blueprint.errorhandler(Exception)
def answer_to_trouble(error: Exception) -> Response:
    """503, upon which carriers report again later. The log gets what kind of trouble, and of no message."""
    _logger.error("receipts_failed", error=type(error).__name__)
    answer = _answer(503)
    answer.headers["Retry-After"] = "5"
    return answer
