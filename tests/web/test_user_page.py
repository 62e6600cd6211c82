"""One user's page: what logs in, why no SMS came, what happened; masked, cheap, and fresh."""

import re
from html import unescape

import pytest
from sqlalchemy import event

from portal import clock as portal_clock
from portal.database import db
from portal.models import ActorKind, AuditAction, Message, MessageState
from portal.services import users, verifications
from portal.services.context import Caller
from portal.services.users import Registration
from portal.web import freshness
from tests import factories

POLL = re.compile(r'id="live" data-polls hx-get="([^"]+)"')
OLDER = re.compile(r'href="([^"]+before=[^"]+)" hx-get="([^"]+)"')
NUMBERS = re.compile(r"(?<!\d)(?:\+?81|0)?(?:9012345678|8087654321)|12345678|87654321")
NAMES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' hx-get='/sign-out",
    "{{ 7 * 7 }}",
    "مرحبا\u202eabc",
]


@pytest.fixture
def address(shop, customer) -> str:
    return f"/apps/{shop.id}/users/{customer.id}"


@pytest.fixture
def dora(shop, transaction, context_for) -> str:
    """A user who has just signed up; her SMS waits."""
    wanted = Registration(login_name="dora", phone_number="+819012345678", locale="ja-JP")
    with transaction() as rows:
        ctx = context_for(rows, Caller(ActorKind.APP, shop.id))
        return users.register(ctx, wanted, "hash").id


@pytest.fixture
def doras(shop, dora) -> str:
    return f"/apps/{shop.id}/users/{dora}"


def poll(text: str) -> str:
    """The address at which an open page asks again."""
    return unescape(POLL.search(text)[1])


def answer(text: str) -> str:
    """The reason code that the page gives."""
    return re.search(r'data-reason="([a-z_]+)"', text)[1]


def entries(session, customer, count: int) -> None:
    for _ in range(count):
        factories.audit_entry(
            session, app_id=customer.app_id, user_id=customer.id, action=AuditAction.USER_UPDATED
        )


# --- The card and the answer ------------------------------------------------------------------------------


def test_the_answer_stands_over_the_timeline_with_its_next_step(bobs, doras):
    text = bobs.get(doras).text

    assert answer(text) == "waiting_to_be_sent"
    assert text.index("Why no SMS?") < text.index("The SMS waits to be sent.") < text.index("What happened")
    assert "What to do: Nothing: it leaves within seconds." in text


def test_a_time_that_matters_is_a_time(bobs, doras, clock):
    clock.advance(120)
    text = bobs.get(doras).text

    assert answer(text) == "worker_stalled"
    assert re.search(r"It has been due since <time [^>]+>\d\d:\d\d UTC</time>\.", text)


def test_a_provider_is_quoted_escaped(bobs, doras, session, dora):
    message = session.query(Message).filter_by(user_id=dora).one()
    message.state, message.reason, message.provider_words = (
        MessageState.FAILED,
        "provider_refused",
        "<b>no</b>",
    )
    session.flush()

    assert "<q><bdi hx-disable>&lt;b&gt;no&lt;/b&gt;</bdi></q>" in bobs.get(doras).text


def test_the_pending_number_tells_since_when_by_whom_and_how_much_is_used(bobs, address, customer, session):
    own = {"app_id": customer.app_id, "user_id": customer.id}
    factories.verification(
        session, **own, phone_number=customer.pending_phone_number, purpose="change", guesses=2, sends=3
    )
    started = {"action": AuditAction.NUMBER_CHANGE_STARTED, "actor_kind": ActorKind.ADMIN}
    factories.audit_entry(session, **own, at=customer.pending_since, **started)
    pending = bobs.get(address).text.split("<h3>Pending</h3>")[1].split("</section>")[0]

    assert "by the app&#39;s server" in pending
    assert "2 of 5 used" in pending
    assert "3 of 5 used" in pending
    assert "10 minutes left" in pending


def test_who_of_the_portal_started_a_change_is_named(bobs, address, customer, session, alice):
    started = {"actor_kind": ActorKind.ACCOUNT, "actor_id": alice.id, "at": customer.pending_since}
    own = {"app_id": customer.app_id, "user_id": customer.id}
    factories.audit_entry(session, **own, action=AuditAction.NUMBER_CHANGE_STARTED, **started)
    pending = bobs.get(address).text.split("<h3>Pending</h3>")[1].split("</section>")[0]

    assert "<bdi hx-disable>alice@example.com</bdi>" in pending


@pytest.mark.parametrize(
    ("sends", "messages", "said"),
    [
        (1, ["queued"], "1 of 5 used<"),
        (0, ["failed"], "0 of 5 used; a failed send does not count<"),
        (1, ["failed", "expired", "sent"], "1 of 5 used; 2 failed sends do not count<"),
    ],
)
def test_a_send_that_failed_is_said_not_to_count(bobs, address, customer, session, sends, messages, said):
    own = {"app_id": customer.app_id, "user_id": customer.id}
    number = customer.pending_phone_number
    code = factories.verification(session, **own, phone_number=number, purpose="change", sends=sends)
    for state in messages:
        factories.message(session, **own, phone_number=number, verification_id=code.id, state=state)
    text = bobs.get(address).text

    assert said in text.split("<h3>Pending</h3>")[1].split("</section>")[0]
    assert ("0 of 5 used; a failed send does not count" in text.split('id="timeline"')[1]) is (sends == 0)


def test_a_message_of_a_sandbox_reached_the_inbox_and_no_phone(bobs, address, customer, session):
    own = {"app_id": customer.app_id, "user_id": customer.id}
    factories.message(session, **own, state="delivered", provider="inbox", sent_at=portal_clock.now())
    text = bobs.get(address).text

    assert 'Delivered</span> <span class="badge-more">to the Inbox</span>' in text
    assert "The SMS reached the app&#39;s Inbox. It was meant for" in text
    assert "arrived" not in text


def test_why_no_sms_says_that_a_sandbox_reaches_no_phone(bobs, doras):
    assert "This app is a sandbox: its messages go to its Inbox, and no phone gets them." in unescape(
        bobs.get(doras).text
    )


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"state": "exhausted", "guesses": 5}, "Dead: too many guesses"),
        ({"code_expires_at": 1}, "No longer valid"),
    ],
)
def test_a_dead_code_is_said_to_be_dead(bobs, shop, session, columns, said):
    user = factories.user(session, app_id=shop.id, phone_number="+819012345678")
    own = {"app_id": shop.id, "user_id": user.id, "phone_number": user.phone_number}
    factories.verification(session, **own, **columns)

    assert said in bobs.get(f"/apps/{shop.id}/users/{user.id}").text


def test_the_language_names_the_template_that_it_means_and_only_owners_may_open_it(alices, bobs, doras):
    support, owner = bobs.get(doras).text, alices.get(doras).text

    assert "Language: Japanese (Japan) (ja-JP). SMS go out in English," in support
    assert "template en version 1." in support
    assert "/sms-templates/" not in support
    assert '/sms-templates/en/versions/1">template en version 1</a>.' in owner


# --- What must not be seen --------------------------------------------------------------------------------


def test_pii_01_no_role_and_no_fragment_sees_a_code_a_text_or_a_whole_number(
    alices, bobs, doras, shop, dora, transaction, context_for
):
    with transaction() as rows:
        code = verifications.read_code(context_for(rows, Caller(ActorKind.ADMIN, shop.id)), dora)
    for browser in (alices, bobs):
        page = browser.get(doras).text
        for text in (page, browser.fragment(poll(page).replace("seen=", "seen=x")).text):
            assert "+81 ••• •••• 5678" in text
            assert not NUMBERS.search(text)
            assert not re.search(rf"(?<![0-9a-f]){code}(?![0-9a-f])", text)
            assert "{code}" not in text


@pytest.mark.parametrize("name", NAMES)
def test_web_06_what_a_user_is_called_is_only_shown_escaped(bobs, shop, session, name):
    user = factories.user(session, app_id=shop.id, login_name=name, display_name=name)
    text = bobs.get(f"/apps/{shop.id}/users/{user.id}").text

    assert name not in re.sub(r"<bdi hx-disable>[^<]*</bdi>", "", text)
    assert name in [unescape(found) for found in re.findall(r"<bdi hx-disable>([^<]*)</bdi>", text)]


def test_web_06_a_typed_reason_is_shown_escaped_and_without_numbers(bobs, address, customer, session, alice):
    deed = {"action": AuditAction.USER_DISABLED, "actor_kind": ActorKind.ACCOUNT, "actor_id": alice.id}
    factories.audit_entry(
        session,
        app_id=customer.app_id,
        user_id=customer.id,
        reason="<i>Called</i> from 090-1234-5678",
        details={"before": {"disabled": False}, "after": {"disabled": True}},
        **deed,
    )
    text = bobs.get(address).text

    assert "Reason: <bdi hx-disable>&lt;i&gt;Called&lt;/i&gt; from ••• 5678</bdi>" in text
    assert "by <bdi hx-disable>alice@example.com</bdi>" in text
    assert re.search(r"<dt>Disabled</dt><dd><bdi hx-disable>no</bdi>.*<bdi hx-disable>yes</bdi></dd>", text)


def test_ten_02_strangers_and_other_apps_see_nothing(charlies, stranger, bobs, address, session):
    theirs = factories.user(session)

    assert charlies.get(address).status_code == 404
    assert stranger.get(address).location.startswith("/sign-in")
    assert bobs.get(re.sub(r"[^/]+$", theirs.id, address)).status_code == 404


# --- The timeline -----------------------------------------------------------------------------------------


def test_events_stand_under_their_days_with_their_exact_times(bobs, address, customer, session):
    own = {"app_id": customer.app_id, "user_id": customer.id, "action": AuditAction.USER_UPDATED}
    now = portal_clock.now()
    for at in (now - 40 * portal_clock.DAY, now - portal_clock.DAY, now):
        factories.audit_entry(session, **own, at=at)
    text = bobs.get(address).text
    day = portal_clock.as_datetime(now - 40 * portal_clock.DAY).strftime("%A, %-d %B %Y")

    assert re.findall(r"<h3><time [^>]+>([^<]+)</time></h3>", text) == [
        f"{each} (UTC)" for each in ("Today", "Yesterday", day)
    ]
    assert len(re.findall(r'<span class="unseen">, \d+ \w+ \d{4}, [\d:]+ UTC</span>', text)) == 3


def test_older_events_come_by_a_link_and_by_htmx_under_the_same_day(bobs, address, customer, session):
    entries(session, customer, 60)
    first = bobs.get(address).text
    link, by_htmx = (unescape(found) for found in OLDER.search(first).groups())
    page, fragment = bobs.get(link).text, bobs.fragment(by_htmx).text

    assert [text.count('<li id="entry-') for text in (first, page, fragment)] == [50, 10, 10]
    assert "Back to the newest" in page
    assert "<h3><time" in page
    assert "<h3><time" not in fragment
    assert "<html" not in fragment
    assert "data-polls" not in page


def test_the_last_page_leads_no_further(bobs, address, customer, session):
    entries(session, customer, 50)
    text = bobs.get(address).text

    assert "Show older" not in text
    assert "Nothing older is on record" in bobs.get(f"{address}?before=0.0.0").text


@pytest.mark.parametrize("query", ["before=x", "end=x", "before=1.2", "end=%00"])
def test_a_page_key_that_is_not_ours_is_refused(bobs, address, query):
    assert bobs.get(f"{address}?{query}").status_code == 422


def test_a_user_without_any_event_says_so(bobs, address):
    assert "Nothing is on record for this user." in bobs.get(address).text


# --- Freshness --------------------------------------------------------------------------------------------


def test_an_open_page_gets_nothing_while_nothing_changed(bobs, doras, clock):
    address = poll(bobs.get(doras).text)

    assert bobs.fragment(address).status_code == 204
    clock.advance(1)
    assert bobs.fragment(address).status_code == 204


def test_an_open_page_gets_what_changed_and_then_nothing_again(bobs, doras, dora, session):
    page = bobs.get(doras).text
    message = session.query(Message).filter_by(user_id=dora).one()
    message.state, message.sent_at = MessageState.SENT, portal_clock.now()
    session.flush()
    fragment = bobs.fragment(poll(page))

    assert fragment.status_code == 200
    assert fragment.text.lstrip().startswith('<div class="side-by-side user-page" id="live"')
    assert answer(fragment.text) == "sent_not_confirmed"
    assert bobs.fragment(poll(fragment.text)).status_code == 204


def test_the_answer_changes_by_time_alone(bobs, doras, clock):
    page = bobs.get(doras).text
    clock.advance(61)

    assert answer(bobs.fragment(poll(page)).text) == "worker_stalled"


def test_an_open_page_keeps_its_end_while_it_grows(bobs, address, customer, session):
    entries(session, customer, 60)
    page = bobs.get(address).text
    entries(session, customer, 5)
    fragment = bobs.fragment(poll(page)).text

    assert fragment.count('<li id="entry-') == 55
    assert re.findall(r'<li id="(entry-\d+)"', fragment)[5:] == re.findall(r'<li id="(entry-\d+)"', page)
    assert 'id="older-events" hx-preserve="true"' in fragment


def test_a_page_on_which_far_too_much_happened_starts_again(bobs, address, customer, session):
    page = bobs.get(address).text
    entries(session, customer, 201)

    assert bobs.fragment(poll(page)).headers["HX-Refresh"] == "true"


def test_the_page_contains_its_fragment(bobs, doras):
    page = bobs.get(doras).text

    assert bobs.fragment(doras).text.strip() in page


# --- What it costs ----------------------------------------------------------------------------------------


def test_the_page_takes_as_many_statements_for_a_thousand_events_as_for_none(
    app, bobs, address, customer, session
):
    asked: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    bobs.get(address)
    few = len(asked)
    factories.message(session, app_id=customer.app_id, user_id=customer.id)
    entries(session, customer, 300)
    asked.clear()
    bobs.get(address)

    # One more: with a verification there, its newest message is looked for.
    assert len(asked) <= few + 1


def test_pii_06_a_stamp_is_keyed_so_that_no_number_can_be_tried_out(app, monkeypatch):
    with app.test_request_context():
        ours = freshness.stamp("+819012345678")
        assert freshness.stamp("+819012345678") == ours
        monkeypatch.setattr(app, "secret_key", "another server's")
        assert freshness.stamp("+819012345678") != ours
