"""What does a carrier's receipt change, and what can it never change?"""

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from sqlalchemy import select, update

from portal.clock import HOUR
from portal.core.reasons import Reason
from portal.core.receipt_states import ReceiptState
from portal.core.receipt_troubles import ReceiptTrouble
from portal.delivery import claims, receipts, unreadable_receipts
from portal.delivery.providers.base import ProviderUnreachable, Receipt
from portal.models import Message, MessageState, UnmatchedReceipt, UnreadableReceipt
from portal.services import provider_activity
from tests import factories
from tests.delivery.test_claims import Killed, die


class Mail:
    """One message that a carrier took, and its receipts."""

    def __init__(self, office, network) -> None:
        self._office = office
        network.add("First")
        self.user = office.sign_up()
        office.send()
        self.provider_id = network.row("First").id

    @property
    def message(self):
        return self._office.message(self.user)

    def arrives(self, state: ReceiptState, reference: str = "ref-1", provider_id: str = "", **about) -> int:
        with self._office.transaction() as session:
            found = [Receipt(reference, state, **about)]
            return receipts.apply(session, provider_id or self.provider_id, found, self._office.post.now())


@pytest.fixture
def mail(office, network) -> Mail:
    return Mail(office, network)


def test_del_10_a_receipt_moves_its_message_to_delivered(mail, clock):
    clock.advance(2)
    assert mail.arrives(ReceiptState.DELIVERED) == 1
    assert (mail.message.state, mail.message.ended_at) == ("delivered", clock.at)


def test_del_10_delivered_never_means_verified(mail, office):
    mail.arrives(ReceiptState.DELIVERED)
    assert not office.user(mail.user).phone_number_verified
    assert office.verification(mail.user).state == "open"


def test_del_10_a_receipt_that_comes_five_times_changes_once(mail, clock):
    assert [mail.arrives(ReceiptState.DELIVERED) for _ in range(5)] == [1, 0, 0, 0, 0]
    ended_at = mail.message.ended_at
    clock.advance(60)
    mail.arrives(ReceiptState.DELIVERED)
    assert mail.message.ended_at == ended_at


@pytest.mark.parametrize("late", [ReceiptState.SENT, ReceiptState.FAILED])
def test_del_10_what_was_delivered_stays_delivered(mail, late):
    mail.arrives(ReceiptState.DELIVERED)
    assert mail.arrives(late, reason=Reason.PHONE_UNREACHABLE) == 0
    assert (mail.message.state, mail.message.reason) == ("delivered", None)


def test_del_10_what_failed_stays_failed(mail):
    mail.arrives(ReceiptState.FAILED)
    assert mail.arrives(ReceiptState.DELIVERED) == 0
    assert mail.message.state == MessageState.FAILED


def test_a_receipt_that_says_failed_gives_the_reason_and_words_without_digits(mail, clock):
    mail.arrives(ReceiptState.FAILED, reason=Reason.PHONE_UNREACHABLE, words="absent: 819012345678")
    message = mail.message
    assert (message.state, message.reason, message.ended_at) == ("failed", "phone_unreachable", clock.at)
    assert message.provider_words == "absent: ••••••••••••"


def test_a_message_that_failed_on_its_way_was_sent_and_frees_no_slot(mail, office):
    before = office.sent_times()
    mail.arrives(ReceiptState.FAILED)
    mail.arrives(ReceiptState.FAILED)
    assert office.verification(mail.user).sends == 1
    assert office.sent_times() == before != ""


@pytest.mark.parametrize("reference", ["ref-2", "", "\0", "x" * 500])
def test_del_10_an_unknown_reference_changes_nothing(mail, reference):
    assert mail.arrives(ReceiptState.DELIVERED, reference) == 0
    assert mail.message.state == MessageState.SENT


def test_del_10_another_carriers_receipt_changes_nothing(mail, session):
    other = factories.provider(session)
    assert mail.arrives(ReceiptState.DELIVERED, provider_id=other.id) == 0
    assert mail.message.state == MessageState.SENT


def test_a_receipt_that_is_faster_than_the_note_of_its_message_waits_for_it(
    office, network, mail, monkeypatch
):
    emil = office.sign_up("emil", "+819012345679")
    with office.transaction() as session:
        claim = claims.take(session, office.app_id, office.post.now(), 60_000)
        claims.name_provider(session, claim, "http", mail.provider_id)
    waited = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            with office.transaction() as session:
                noted = {"state": "sent", "lease": None, "provider_reference": "ref-9"}
                session.execute(update(Message).where(Message.serial == claim.serial).values(**noted))

    monkeypatch.setattr(receipts.time, "sleep", sleep)
    early = [Receipt("ref-9", ReceiptState.DELIVERED)]
    assert receipts.take(office.transaction, mail.provider_id, early, office.post.now) == 1
    assert waited == [0.0, 0.2]
    assert office.message(emil).state == MessageState.DELIVERED


@pytest.fixture
def emil(office, network, mail, monkeypatch) -> str:
    """Somebody whose SMS the first carrier has, from a worker that died before it could say so."""
    monkeypatch.setattr(receipts.time, "sleep", lambda _seconds: None)
    signed_up = office.sign_up("emil", "+819012345679")
    network.by_label["First"].meanwhile = die
    with pytest.raises(Killed):
        office.send()
    return signed_up


def test_del_03_a_receipt_stands_in_for_a_worker_that_died_and_nothing_is_sent_twice(
    office, network, mail, clock, emil
):
    carrier = network.by_label["First"]
    named = [Receipt("their-1", ReceiptState.SENT, our_reference=office.message(emil).id)]
    assert receipts.take(office.transaction, mail.provider_id, named, office.post.now) == 1
    assert (office.message(emil).state, office.message(emil).provider_reference) == ("sent", "their-1")
    later = [Receipt("their-1", ReceiptState.DELIVERED)]
    assert receipts.take(office.transaction, mail.provider_id, later, office.post.now) == 1
    clock.advance(61)
    assert office.send() == 0
    assert office.message(emil).state == MessageState.DELIVERED
    assert [sms.to for sms in carrier.tried].count("+819012345679") == 1


@pytest.mark.parametrize("whose", ["a message that was never handed over", "another carrier's"])
def test_del_10_a_receipt_that_names_our_reference_changes_only_what_its_carrier_was_handed(
    office, network, mail, session, monkeypatch, whose
):
    monkeypatch.setattr(receipts.time, "sleep", lambda _seconds: None)
    emil = office.sign_up("emil", "+819012345679")
    with office.transaction() as opened:
        claim = claims.take(opened, office.app_id, office.post.now(), 60_000)
        claims.name_provider(opened, claim, "http", mail.provider_id)
        if whose == "another carrier's":
            claims.begin_hand_over(opened, claim, office.post.now())
    carrier = factories.provider(session).id if whose == "another carrier's" else mail.provider_id
    named = [Receipt("their-1", ReceiptState.DELIVERED, our_reference=claim.id)]
    assert receipts.take(office.transaction, carrier, named, office.post.now) == 0
    assert office.message(emil).state == MessageState.SENDING


def test_a_receipt_of_nobodys_message_is_waited_for_by_nobody(office, mail, monkeypatch):
    waited = []
    monkeypatch.setattr(receipts.time, "sleep", waited.append)
    unknown = [Receipt("ref-9", ReceiptState.DELIVERED)]
    assert receipts.take(office.transaction, mail.provider_id, unknown, office.post.now) == 0
    assert waited == [0.0]


@pytest.mark.parametrize("odd", ["\0", "a\0b", "\ud800", "x" * 5_000])
def test_del_10_a_reference_that_no_database_keeps_changes_nothing(office, network, mail, monkeypatch, odd):
    monkeypatch.setattr(receipts.time, "sleep", lambda _seconds: None)
    network.by_label["First"].meanwhile = die
    office.sign_up("emil", "+819012345679")
    with pytest.raises(Killed):
        office.send()
    named = [Receipt(f"their{odd}", ReceiptState.DELIVERED, our_reference=odd)]
    assert receipts.take(office.transaction, mail.provider_id, named, office.post.now) == 0


def test_del_10_a_try_that_failed_late_does_not_end_the_one_under_way(
    office, network, mail, clock, monkeypatch
):
    monkeypatch.setattr(receipts.time, "sleep", lambda _seconds: None)
    carrier = network.by_label["First"]
    carrier.script = [ProviderUnreachable(may_have_left=True)]
    emil = office.sign_up("emil", "+819012345679")
    office.send()
    clock.advance(3)

    def tell() -> None:
        late = [Receipt("their-1", ReceiptState.FAILED, our_reference=office.message(emil).id)]
        receipts.take(office.transaction, mail.provider_id, late, office.post.now)

    carrier.meanwhile = tell
    office.send()
    assert (office.message(emil).state, office.message(emil).provider_reference) == ("sent", "ref-2")


def test_del_03_a_receipt_stands_in_for_a_dead_worker_also_after_its_lease(
    office, network, mail, clock, emil
):
    carrier = network.by_label["First"]
    clock.advance(120)
    named = [Receipt("their-1", ReceiptState.DELIVERED, our_reference=office.message(emil).id)]
    assert receipts.take(office.transaction, mail.provider_id, named, office.post.now) == 1
    assert office.send() == 0
    assert [sms.to for sms in carrier.tried].count("+819012345679") == 1


def test_del_09_a_flood_of_unknown_receipts_leaves_threads_for_everybody_else(
    office, network, mail, monkeypatch
):
    network.by_label["First"].meanwhile = die
    office.sign_up("emil", "+819012345679")
    with pytest.raises(Killed):
        office.send()
    held, is_over = [], threading.Event()
    monkeypatch.setattr(receipts.time, "sleep", lambda seconds: seconds and (held.append(1), is_over.wait()))

    def report(at: int) -> int:
        unknown = [Receipt(f"foreign-{at}", ReceiptState.DELIVERED)]
        return receipts.take(office.transaction, mail.provider_id, unknown, office.post.now)

    with ThreadPoolExecutor(12) as carrier:
        reports = [carrier.submit(report, at) for at in range(12)]
        _, waiting = wait(reports, timeout=5)
        is_over.set()
    assert len(waiting) == receipts.MOST_WAITING


def unmatched(office) -> tuple[int, int] | None:
    """How many receipts matched nothing in the last 24 hours, and when the last came, as pages are told."""
    with office.transaction() as session:
        found = provider_activity.of(session, office.app_id, office.post.now()).unmatched
    told = next(iter(found.values()), None)
    return told and (told.receipts, told.last_at)


def report(office, mail, *names: str, **about) -> int:
    found = [Receipt(each, ReceiptState.DELIVERED, **about) for each in names]
    return receipts.take(office.transaction, mail.provider_id, found, office.post.now)


def test_receipts_that_match_no_message_are_counted_for_a_day(office, mail, clock):
    assert unmatched(office) is None
    report(office, mail, "foreign-1", "foreign-2", "ref-1")
    first = clock.at
    assert unmatched(office) == (2, first)
    clock.advance(23 * 3_600)
    report(office, mail, "foreign-3")
    assert unmatched(office) in {(3, clock.at), (1, clock.at)}
    clock.advance(3 * 3_600)
    assert unmatched(office) == (1, clock.at - 3 * HOUR)
    clock.advance(24 * 3_600)
    assert unmatched(office) is None


def test_a_receipt_that_comes_again_or_names_nothing_is_not_counted(office, mail):
    report(office, mail, "ref-1")
    report(office, mail, "ref-1", "", "\0")
    assert unmatched(office) is None


def test_a_receipt_that_stands_in_for_a_dead_worker_matched(office, network, mail, emil):
    assert report(office, mail, "their-1", our_reference=office.message(emil).id) == 1
    assert unmatched(office) is None


def test_however_many_match_nothing_a_carrier_keeps_a_row_an_hour_and_nothing_of_theirs(office, mail, clock):
    for _ in range(60):
        report(office, mail, *(f"foreign-{at}" for at in range(40)))
        clock.advance(1_800)
    with office.transaction() as session:
        rows = session.scalars(select(UnmatchedReceipt)).all()
        held = {column.name for column in UnmatchedReceipt.__table__.columns}
    assert len(rows) <= 26
    assert held == {"app_id", "provider_id", "hour", "receipts", "last_at"}
    counted = unmatched(office)
    assert counted
    assert 40 * 2 * 23 <= counted[0] <= 40 * 2 * 24


def test_receipts_that_come_together_each_count(office, mail, database):
    with ThreadPoolExecutor(8) as carrier:
        list(carrier.map(lambda at: report(office, mail, f"foreign-{at}"), range(40)))
    counted = unmatched(office)
    assert counted
    assert counted[0] == 40


# --- Receipts that cannot be read --------------------------------------------------------------------------


def puzzle(office, mail, trouble: ReceiptTrouble, now: int | None = None) -> None:
    """One receipt that arrives and cannot be read."""
    with office.transaction() as session:
        unreadable_receipts.count(session, mail.provider_id, trouble, now or office.post.now())


def unreadable(office) -> tuple[int, list[tuple[str, int]]] | None:
    """When the last of those of 24 hours came, and how many lacked what, its kind first."""
    with office.transaction() as session:
        found = provider_activity.of(session, office.app_id, office.post.now()).unreadable
    told = next(iter(found.values()), None)
    return told and (told.last_at, [(each.value, count) for each, count in told.troubles.items()])


def test_receipts_that_cannot_be_read_are_counted_for_a_day_by_what_they_lacked(office, mail, clock):
    assert unreadable(office) is None
    puzzle(office, mail, ReceiptTrouble.WRONG_JSON)
    clock.advance(60)
    puzzle(office, mail, ReceiptTrouble.NO_STATE)
    assert unreadable(office) == (clock.at, [("no_state", 1), ("wrong_json", 1)])
    clock.advance(2 * 3_600)
    puzzle(office, mail, ReceiptTrouble.WRONG_JSON)
    assert unreadable(office) == (clock.at, [("wrong_json", 2), ("no_state", 1)])
    clock.advance(25 * 3_600)
    assert unreadable(office) is None


def test_one_that_is_written_late_does_not_set_the_last_one_back(office, mail, clock):
    puzzle(office, mail, ReceiptTrouble.NO_STATE)
    puzzle(office, mail, ReceiptTrouble.NO_STATE, clock.at - 1)
    puzzle(office, mail, ReceiptTrouble.NO_FIELDS, clock.at - 1)
    assert unreadable(office) == (clock.at, [("no_state", 2), ("no_fields", 1)])


def test_however_many_cannot_be_read_a_carrier_keeps_a_row_a_kind_an_hour_and_nothing_of_theirs(
    office, mail, clock
):
    for _ in range(60):
        for trouble in ReceiptTrouble:
            puzzle(office, mail, trouble)
        clock.advance(1_800)
    with office.transaction() as session:
        rows = session.scalars(select(UnreadableReceipt)).all()
    held = {column.name for column in UnreadableReceipt.__table__.columns}
    assert len(rows) <= 26 * len(ReceiptTrouble)
    assert held == {"app_id", "provider_id", "hour", "receipts", "last_at", "trouble"}


def test_unreadable_receipts_that_come_together_each_count(office, mail, database):
    with ThreadPoolExecutor(8) as carrier:
        list(carrier.map(lambda _: puzzle(office, mail, ReceiptTrouble.NO_STATE), range(40)))
    counted = unreadable(office)
    assert counted
    assert counted[1] == [("no_state", 40)]
