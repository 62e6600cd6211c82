"""Who is told of alarms? The operator's own address, by a signed POST (OPS-02)."""

import hashlib
import hmac
import json
from urllib.parse import urlsplit

from portal import clock
from portal.config import Settings
from portal.delivery.outgoing import AddressRefused, NotReached, Outgoing
from portal.services.alarm_news import News
from portal.watch.watchman import CouldNotTell, Tell

TIMESTAMP = "X-Ringback-Timestamp"
SIGNATURE = "X-Ringback-Signature"


def teller(settings: Settings) -> Tell | None:
    """What tells alarms; None where the settings name no address."""
    if not settings.alarm_url:
        return None
    # Whoever sets this runs the server, and may mean a machine beside it (WEB-11).
    here = urlsplit(settings.alarm_url).hostname or ""
    outgoing = Outgoing(private_hosts=settings.private_hosts | {here})

    def tell(news: News, counts: dict[str, int]) -> None:
        _post(outgoing, settings, news, counts)

    return tell


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What a receiver compares: HMAC-SHA-256 (hex) over the timestamp, a full stop and the body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _post(outgoing: Outgoing, settings: Settings, news: News, counts: dict[str, int]) -> None:
    body = json.dumps(
        {
            "name": news.name,
            "level": news.level,
            "since": news.since,
            "about": news.about,
            "installation": settings.base_url,
            "counts": counts,
        },
        separators=(",", ":"),
    ).encode()
    timestamp = str(clock.now() // clock.SECOND)
    headers = {"Content-Type": "application/json", TIMESTAMP: timestamp}
    if settings.alarm_secret:
        headers[SIGNATURE] = f"sha256={signature(settings.alarm_secret, timestamp, body)}"
    try:
        answer = outgoing.call("POST", settings.alarm_url, headers=headers, content=body)
    except (NotReached, AddressRefused) as error:
        raise CouldNotTell(str(error)) from None
    if not 200 <= answer.status < 300:
        raise CouldNotTell(f"status {answer.status}")
