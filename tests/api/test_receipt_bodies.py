"""What can a body at a receipts address do that it should not?"""

import pytest
from sqlalchemy import text

from portal.core import credentials, receipt_addresses
from portal.core.receipt_troubles import ReceiptTrouble
from tests import factories

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(params=["id", "/0/id", "/id/0/1"])
def address(request, session, shop, keys):
    it = factories.provider(
        session,
        app_id=shop.id,
        kind="http",
        settings={
            "url": "https://sms.example/send",
            "method": "POST",
            "body": "",
            "charset": "auto",
            "receipt_reference": request.param,
            "receipt_status": "status",
            "receipt_words": "DELIVRD = delivered",
        },
    )
    it.sealing_key_version, it.sealed = credentials.close(keys.sealing, shop.id, it.id, {})
    session.flush()
    return f"/receipts/{it.id}/{receipt_addresses.token(keys.receipts, it.id)}"


BODIES = [
    (JSON, b""),
    (JSON, b"[" * 60_000),
    (JSON, b'{"id":' * 9_000),
    (JSON, b"\xff\xfe"),
    (JSON, b"9" * 6_000),
    (JSON, b'{"id": ' + b"9" * 5_000 + b', "status": "DELIVRD"}'),
    (JSON, b'{"id": 1e999, "status": "DELIVRD"}'),
    (JSON, b'{"id": NaN, "status": NaN}'),
    (JSON, b'{"id": "a\\u0000b", "status": "DELIVRD"}'),
    (JSON, b'{"id": "\\ud800", "status": "DELIVRD"}'),
    (JSON, b'{"id": "x", "status": "\\ud800"}'),
    (JSON, b'{"id": "x", "status": "\\u0000"}'),
    (JSON, b'[{"id": "a\\u0000b"}]'),
    (JSON, b"null"),
    (JSON, b'"x"'),
    (FORM, b"id=%00&status=DELIVRD"),
    (FORM, b"id=%ff%fe&status=DELIVRD"),
    (FORM, b"&" * 60_000),
    (FORM, b"a=1&" * 2_000),
    (FORM, b"id=x&status=" + b"A" * 60_000),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="id"\r\n\r\n1\r\n--x--',
    ),
    ("text/plain", b"DELIVRD"),
    ("application/json; charset=utf-16", '{"id": "x"}'.encode("utf-16")),
]


@pytest.mark.parametrize("place", range(len(BODIES)))
def test_del_10_nothing_that_is_sent_is_trouble_or_fills_the_table(client, address, session, place):
    kind, body = BODIES[place]
    for _ in range(3):
        answer = client.post(address, data=body, content_type=kind, headers={"X-Signature": "t=1,v1=x"})
        assert answer.status_code == 200, (answer.status_code, body[:60])
    assert client.get(f"{address}?id=%00&status=%ED%A0%80").status_code == 200
    rows = session.execute(text("SELECT count(*) FROM unreadable_receipt")).scalar_one()
    # One of each kind an hour, however many come.
    assert rows <= len(ReceiptTrouble)
