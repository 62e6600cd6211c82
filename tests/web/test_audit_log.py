"""Does the Audit page tell who did what, and does its export take it along without harm?"""

import csv
import io
import json
import re
from html import unescape

import pytest
import sqlalchemy
from sqlalchemy import select

from portal import clock as portal_clock
from portal.database import db
from portal.models import ActorKind, AuditAction, AuditEntry
from portal.services import audit_restarts, audit_sealing, walks
from portal.services.context import Caller
from tests import factories

ENTRY = re.compile(r'id="entry-(\d+)"')
NUMBER = "+819012345678"
# Every one of these would be run, or would break the table, in some spreadsheet or parser.
HOSTILE = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "-2+3",
    "\t=1",
    "\r=1",
    '"quoted" and, with; marks',
    "two\r\nlines",
    "＝1+1",
    "<script>alert(1)</script>",
    "محمد 花子 🎉",
]


def test_an_entry_tells_who_did_what_to_whom_when_and_why(bobs, bob, shop, customer, record, address):
    record(
        AuditAction.USER_DISABLED,
        user_id=customer.id,
        reason="Asked by <mail>",
        actor_kind=ActorKind.ACCOUNT,
        actor_id=bob.id,
        details={"before": {"disabled": False, "tokens": 3}, "after": {"disabled": True, "tokens": 0}},
    )
    page = bobs.get(address).text
    row = plain(page.split('id="entry-')[1].split("</tr>")[0])

    assert "Disabled the user" in row
    assert "“ Asked by <mail> ”" in row
    assert "Disabled before: no → after: yes" in row
    assert "Tokens before: 3 → after: 0" in row
    assert "bob @example.com" in row
    assert "田中 花子" in row
    assert "just now" in row
    assert "<mail>" not in page


def test_pii_07_an_owner_reads_that_the_chain_was_begun_anew_and_why(
    alices, shop, transaction, context_for, engine, address, record
):
    record(AuditAction.APP_CHANGED)
    system, operator = Caller(ActorKind.SYSTEM, shop.id), Caller(ActorKind.OPERATOR, shop.id)
    with transaction() as rows:
        audit_sealing.seal(context_for(rows, system))
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("UPDATE audit_chain SET head_sequence = 77"))
    with transaction() as rows:
        ctx = context_for(rows, operator)
        damage = audit_restarts.look(rows, ctx.keys.audit, shop.id, ctx.now)
        audit_restarts.begin_anew(ctx, damage, "A script edited the table.")
    row = plain(alices.get(address).text.split('id="entry-')[1].split("</tr>")[0])

    assert "Began the audit log's chain anew after it was broken" in row
    assert "“ A script edited the table. ”" in row
    assert "What was found the row that says where the chain begins and ends was changed" in row
    assert f"The chain ended with 77 {damage.chain.head.hash[:4]}:" in row
    assert "•" not in row
    assert "The operator" in row


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"code_life_s": [600, 300]}, ["Seconds that a code is valid before: 600 → after: 300"]),
        (
            {"phone_number_verification_required": [False, True]},
            ["Phone verification before: Off → after: On"],
        ),
        (
            {"open_countries": [["JP"], ["DE", "JP"]]},
            ["Open countries before: Japan → after: Germany, Japan"],
        ),
        ({"web_domain": [None, "a.example"]}, ["before: none → after: a.example"]),
        ({"locale": "ja", "version": 3}, ["Language Japanese", "Version 3"]),
        ({"millionths": {"JP": [None, 75000]}}, ["A segment to Japan before: none → after: 0.075"]),
        ({"name": "Shop", "home_country": "JP"}, ["Name Shop", "Home country Japan"]),
        ({"purpose": "register"}, ["Purpose register"]),
        ({"add": 2, "same": 1}, ["Add 2", "Stayed as they were 1"]),
        ({"before": {"phone_number": "+81 ••• •••• 5678", "sends": 1}, "after": {"sends": 2}}, ["5678"]),
        ({"before": "odd", "after": None}, ["Before odd", "After none"]),
        ({"": {"deep": [1, {"er": [None]}]}, "x": []}, ["Deep 1", "X none"]),
        ({"<b>": "<i>x</i>"}, ["<b> <i>x</i>"]),
        (
            {"reason": "resend_wait", "until": 1_795_918_985_026},
            ["Reason A code was sent a moment ago.", "Until 29 November 2026, 02:"],
        ),
        ({"reason": "odd", "until": 10**30}, ["Reason odd", "Until 1000000"]),
        ({"until": "soon"}, ["Until soon"]),
    ],
)
def test_facts_of_every_shape_are_worded(alices, record, address, details, told):
    record(AuditAction.APP_CHANGED, details=details)
    row = alices.get(address).text.split('id="entry-')[1].split("</tr>")[0]

    for words in told:
        assert words in plain(row)
    assert "<i>x" not in row


@pytest.mark.parametrize("actor", ActorKind)
def test_whoever_has_no_account_is_named_by_kind(alices, record, address, actor):
    record(AuditAction.USER_UPDATED, actor_kind=actor, actor_id="nobody", user_id="gone1234567")
    row = plain(alices.get(address).text.split('id="entry-')[1].split("</tr>")[0])

    assert "who is gone" in row
    assert re.search(r"The |Ringback|A member", row)


@pytest.mark.parametrize(
    "query",
    [
        "kind=tests",
        "actor=user",
        "account=BOB@example.com",
        "user=u1",
        "from=2026-03-03&to=2026-03-03",
        "to=2026-03-02",
        "kind=users&user=u1",
        "account=nobody@example.com",
    ],
)
def test_filters_are_in_the_address(alices, bob, address, march, query):
    asked = dict(pair.split("=") for pair in query.split("&"))
    day = 1772496000000

    def holds(entry: AuditEntry) -> bool:
        return all(
            {
                "kind": entry.action.startswith(value[:4]),
                "actor": entry.actor_kind == value,
                "account": entry.actor_id == bob.id and value.startswith("BOB"),
                "user": entry.user_id == value,
                "from": entry.at >= day,
                "to": entry.at < day + (portal_clock.DAY if value.endswith("3") else 0),
            }[name]
            for name, value in asked.items()
        )

    page = alices.get(f"{address}?{query}").text
    assert ENTRY.findall(page) == [str(each.id) for each in reversed(march) if holds(each)]
    assert "Clear" in page


@pytest.mark.parametrize(
    "query",
    [
        "kind=nonsense",
        "actor=%00",
        "user=%0A",
        "user=<script>",
        "from=2026-13-01&to=yesterday",
        "from=20260303",
        "before=-1",
        "before=" + "9" * 30,
        "account=%20",
        "newest=x&oldest=1e5&held=yes&seen=%00",
    ],
)
def test_values_that_make_no_sense_count_as_not_asked_for(alices, address, march, query):
    everything = ENTRY.findall(alices.get(address).text)
    answer = alices.get(f"{address}?{query}")

    assert answer.status_code == 200
    assert ENTRY.findall(answer.text) == everything
    for target in ("live", "results", "audit_rows_1"):
        assert alices.fragment(f"{address}?{query}", target).status_code == 200


@pytest.mark.parametrize(
    "query", ["from=0001-01-01", "to=9999-12-31", "account=%F0%9F%98%80", "account=%00a"]
)
def test_no_odd_value_breaks_the_page(alices, address, march, query):
    assert alices.get(f"{address}?{query}").status_code == 200


def test_the_pages_lead_through_the_whole_log(alices, address, record, session):
    for _ in range(110):
        record(AuditAction.CODE_WRONG)
    shown, path = [], address
    while path:
        page = alices.get(path).text
        shown += map(int, ENTRY.findall(page))
        found = re.search(r'<tr class="more".*?href="([^"]+)"', page, re.DOTALL)
        path = unescape(found[1]) if found else None

    assert shown == sorted(session.scalars(select(AuditEntry.id).where(AuditEntry.app_id.is_not(None))))[::-1]


def test_a_walk_that_was_cut_short_says_how_far_back_it_looked(alices, address, march, monkeypatch):
    monkeypatch.setattr(walks, "EXAMINED", 2)

    assert "Looked back to" in alices.get(f"{address}?kind=keys").text


def test_an_open_page_gets_204_and_then_what_is_new(alices, address, record):
    for _ in range(60):
        record(AuditAction.CODE_WRONG)
    page = alices.get(address).text
    asks = unescape(re.search(r'data-polls hx-get="([^"]+)"', page)[1])
    assert alices.fragment(asks, "live").status_code == 204

    new = record(AuditAction.CODE_WRONG)
    held = alices.fragment(f"{asks}&held=yes", "live").text
    assert ENTRY.findall(held) == ENTRY.findall(page)
    assert "1 new entry. Show them" in held
    assert ENTRY.findall(alices.fragment(asks, "live").text)[0] == str(new.id)


# --- Export ------------------------------------------------------------------------------------------------


def test_ten_05_support_reads_the_log_and_takes_none_of_it_along(bobs, shop, address, record):
    assert "JSON Lines" not in bobs.get(address).text
    assert bobs.post(f"{address}/export", {"format": "csv"}).status_code == 403


def test_ten_02_a_stranger_gets_no_export(charlies, address):
    assert charlies.post(f"{address}/export", {"format": "csv"}).status_code == 404


def test_an_export_is_a_file_named_after_the_app_and_the_day(alices, address):
    answer = alices.post(f"{address}/export", {"format": "csv"})
    today = portal_clock.as_datetime(portal_clock.now()).strftime("%Y-%m-%d")

    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == f"attachment; filename=ringback-audit-shop-{today}.csv"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.is_streamed


def test_pii_08_no_cell_of_the_csv_is_a_formula_and_every_text_comes_back(alices, address, record):
    for text in HOSTILE:
        record(AuditAction.USER_UPDATED, reason=text, details={"x": text})
    raw = alices.post(f"{address}/export", {"format": "csv", "kind": "users"}).data
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))

    assert raw.startswith(b"\xef\xbb\xbf")
    assert re.search(rb"[^\r]\nid|\r\n\r\n", raw) is None
    assert [row["reason"].removeprefix("'") for row in rows] == HOSTILE
    assert [json.loads(row["details"])["x"] for row in rows] == HOSTILE
    cells = [cell for row in rows for cell in row.values()]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\0", "＝"))] == []


@pytest.mark.parametrize(
    ("text", "cell"),
    [("ok;=1+1", "ok;'=1+1"), ("ok | @SUM", "ok | '@SUM"), (" =1+1", "' =1+1"), ("a=b; c-d", "a=b; c-d")],
)
def test_pii_08_what_follows_another_separator_is_no_formula_either(alices, address, record, text, cell):
    record(AuditAction.USER_UPDATED, reason=text)
    raw = alices.post(f"{address}/export", {"format": "csv", "kind": "users"}).data
    [row] = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))

    assert row["reason"] == cell


def test_json_lines_are_one_entry_a_line_as_it_is(alices, alice, address, record):
    for text in HOSTILE:
        record(
            AuditAction.USER_UPDATED,
            reason=text,
            actor_kind=ActorKind.ACCOUNT,
            actor_id=alice.id,
            user_id="u",
        )
    answer = alices.post(f"{address}/export", {"format": "jsonl", "kind": "users"})
    lines = [json.loads(line) for line in answer.data.decode().splitlines() if line]

    assert answer.mimetype == "application/x-ndjson"
    assert [each["reason"] for each in lines] == HOSTILE
    assert {(each["account"], each["what"], each["user"]) for each in lines} == {
        (alice.email, "Changed the user's data", "u")
    }


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_pii_01_no_export_holds_a_whole_number(alices, address, record, kind):
    record(AuditAction.USER_UPDATED, reason=f"Called from {NUMBER}", details={"n": [NUMBER, "090-1234-5678"]})
    text = alices.post(f"{address}/export", {"format": kind, "kind": "users"}).text

    assert "5678" in text
    assert "1234" not in text


def test_an_export_is_on_record_with_its_filters_before_the_first_byte(
    alices, alice, address, session, march
):
    sent = {"format": "csv", "kind": "tests", "from": "2026-03-03", "user": "u1", "actor": "nonsense"}
    answer = alices.client.post(
        f"{address}/export", data=sent | {"csrf_token": alices.token()}, buffered=False
    )
    taken = session.scalars(select(AuditEntry).where(AuditEntry.action == AuditAction.AUDIT_EXPORTED)).one()
    answer.close()

    assert taken.actor_id == alice.id
    filters = {"kind": "tests", "from": "3 March 2026", "user": "u1", "time_zone": "UTC"}
    assert taken.details == {"format": "CSV"} | filters


def test_an_export_keeps_to_the_filters_of_the_page(alices, address, march):
    page = alices.get(f"{address}?kind=tests&to=2026-03-03").text
    form = page.split('class="row-of-things export"')[1].split("</form>")[0]
    values = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    text = alices.post(f"{address}/export", values | {"format": "jsonl"}).text

    ids = [str(json.loads(line)["id"]) for line in text.splitlines()]
    assert ids == ENTRY.findall(page)[::-1]
    assert ids


@pytest.mark.parametrize("kind", ["", "xlsx", "csv\0"])
def test_an_unknown_format_is_refused_and_not_put_on_record(alices, address, session, kind):
    assert alices.post(f"{address}/export", {"format": kind}).status_code == 422
    assert AuditAction.AUDIT_EXPORTED not in session.scalars(select(AuditEntry.action)).all()


def test_a_broken_connection_leaves_no_transaction_open(app, alices, address, session, shop):
    for _ in range(2_500):
        session.add(AuditEntry(app_id=shop.id, at=1, actor_kind="system", action=AuditAction.CODE_WRONG))
    session.flush()
    sent = {"format": "csv", "csrf_token": alices.token()}
    answer = alices.client.post(f"{address}/export", data=sent, buffered=False)
    body = answer.iter_encoded()
    assert len(next(body) + next(body)) > 1_000

    with app.app_context():
        assert db.engine.pool.checkedout() == 0, "between two chunks no connection is held"
    answer.close()
    with app.app_context():
        assert db.engine.pool.checkedout() == 0


def plain(html: str) -> str:
    """The words of a piece of HTML, spaces made one."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/audit"


@pytest.fixture
def record(session, shop):
    """`record(action, reason=...)` puts an entry of the shop on record."""
    return lambda action, **columns: factories.audit_entry(session, app_id=shop.id, action=action, **columns)


@pytest.fixture
def march(session, shop, bob, record) -> list[AuditEntry]:
    """Two entries a day from 1 to 5 March 2026, after all others are gone, oldest first."""
    factories.forget_audit_entries(session)
    session.flush()
    first = 1772323200000
    actions = [AuditAction.TEST_SENT, AuditAction.USER_UPDATED]
    actors = [(ActorKind.ACCOUNT, bob.id), (ActorKind.USER, "u1"), (ActorKind.SYSTEM, None)]
    return [
        record(
            actions[at % 2],
            at=first + at * portal_clock.DAY // 2,
            actor_kind=actors[at % 3][0],
            actor_id=actors[at % 3][1],
            user_id=f"u{at % 4}",
        )
        for at in range(10)
    ]


def test_look_ups_by_one_person_in_a_row_share_a_row_and_each_stays_an_entry(
    alices, alice, bob, record, address, clock
):
    for who, digits in ((alice, 4), (bob, 4), (bob, 7), (bob, 9), (alice, 5)):
        asked = {"actor_kind": ActorKind.ACCOUNT, "actor_id": who.id, "details": {"digits": digits}}
        record(AuditAction.NUMBER_LOOKED_UP, **asked)
    page = alices.get(address).text
    rows = [plain(row) for row in page.split("<tbody")[1].split("</tbody>")[0].split("<tr")[1:]]
    looked_up = [row for row in rows if "Looked up a phone number" in row]

    assert len(looked_up) == 3
    assert "Looked up a phone number, 3 times" in looked_up[1]
    assert "bob" in looked_up[1]
    assert "the first just now" in looked_up[1]
    assert re.search(r"The 2 before .*Digits 7.*Digits 4", looked_up[1])
    assert "times" not in looked_up[0] + looked_up[2]
    assert len(set(ENTRY.findall(page))) == len(ENTRY.findall(page)) >= 5
