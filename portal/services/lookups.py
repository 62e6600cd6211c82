"""Where is that user? The portal's search over an app's users, at a cost that does not grow with the app.

What a term finds comes from the term's own index, the likeliest first. A beginning that very many have, and
a list without a term, is walked from the newest sign-up on, WINDOW users a page at most;
a page that is not full by then says how far back it has looked.
"""

from dataclasses import dataclass, field

from sqlalchemy import bindparam, select

from portal.core import search_terms
from portal.core.reasons import Reason
from portal.core.search_terms import Meaning, Term
from portal.models import ActorKind, App, AuditAction, OpenCountry, User, table
from portal.services import audit, hourly_caps, lookup_pages, lookup_walks, number_finds, user_finds
from portal.services.context import Context
from portal.services.lookup_pages import Place
from portal.services.lookup_walks import Filters
from portal.services.number_finds import SHOWN_DIGITS, Rank
from portal.services.user_finds import MOST_FOUND

PAGE = 50
# Of so many users at most a look-up tells hidden digits; more have to be told apart by more digits.
MOST_TOLD = 3

_USER, _APP, _OPEN = table(User), table(App), table(OpenCountry)
_COUNTRIES = (
    select(_APP.c.home_country, _OPEN.c.country)
    .outerjoin(_OPEN, _OPEN.c.app_id == _APP.c.id)
    .where(_APP.c.id == bindparam("the_app"))
    .order_by(_OPEN.c.country)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is wanted: a term as somebody typed it, and filters."""

    text: str = ""
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True, slots=True)
class UserLine:
    """The columns of a user that a line of the list shows. Times in Unix ms."""

    serial: int
    id: str
    login_name: str | None
    email_address: str | None
    display_name: str | None
    phone_number: str | None
    phone_country: str | None
    phone_number_verified: bool
    pending_phone_number: str | None
    pending_until: int | None
    locale: str | None
    disabled: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A user, and which of its numbers matched: `current`, `pending` or none."""

    user: UserLine
    matched: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of hits; `next` is the key of the following stretch, None at the end.

    `looked_back_to` (Unix ms) is set where the stretch ended before it was full; `is_cut` says that more
    users match than MOST_FOUND, of whom only so many are shown. Each page of a number (`is_number`) counts.
    `has_too_many` says that users are left out whose hidden digits the term would tell.
    """

    hits: list[Hit]
    next: str | None
    understood: str
    looked_back_to: int | None = None
    is_cut: bool = False
    is_number: bool = False
    has_too_many: bool = False
    has_too_few: bool = False


_LINES = select(*(_USER.c[name] for name in UserLine.__slots__)).where(
    _USER.c.serial.in_(bindparam("the_serials", expanding=True))
)


def search(ctx: Context, wanted: Search, after: str | None, limit: int = PAGE) -> Page:
    """One page of the users of the app. Page 1,000 costs what page 1 costs.

    A look-up of a phone number by an account is counted and recorded, each page of it, and so is each user
    of whom it tells digits that pages hide: nobody learns more numbers in an hour by looking than may be
    revealed (TEN-08). Raises TooSoon beyond that, and BadInput for a page key that was not ours.
    """
    term = search_terms.understand(wanted.text, _countries(ctx))
    page = _looked_up(ctx, term, wanted.filters, lookup_pages.read(after), limit)
    if term.is_number and ctx.caller.kind is ActorKind.ACCOUNT:
        # Counted last, because it keeps the account's other look-ups waiting till it is committed.
        _count(ctx, term)
    return page


def _looked_up(ctx: Context, term: Term, filters: Filters, place: Place | None, limit: int) -> Page:
    if term.meaning in (Meaning.NOTHING, Meaning.FEW_DIGITS):
        return Page([], None, term.sentence, has_too_few=term.meaning is Meaning.FEW_DIGITS)
    if term.meaning is Meaning.EVERYBODY:
        return _walked(ctx, term, filters, place, limit)
    return _found(ctx, term, filters, place, limit)


def _countries(ctx: Context) -> list[str]:
    """Where a national number may belong: the app's home first, then every country that it may text."""
    found = ctx.execute(_COUNTRIES, {"the_app": ctx.app_id}).all()
    named = [*(row.home_country for row in found[:1]), *(row.country for row in found if row.country)]
    return list(dict.fromkeys(named))


def _count(ctx: Context, term: Term) -> None:
    allowed = ctx.profile.look_ups_per_hour
    hourly_caps.take(ctx, AuditAction.NUMBER_LOOKED_UP, allowed, Reason.LOOK_UP_HOURLY_LIMIT)
    audit.record(ctx, AuditAction.NUMBER_LOOKED_UP, details={"digits": len(term.digits)})


def _found(ctx: Context, term: Term, filters: Filters, place: Place | None, limit: int) -> Page:
    if term.is_number and (term.wholes or not term.value.startswith("+")):
        page = _of_number(ctx, term, filters, place, limit)
        return (
            page
            if page.hits or page.has_too_many or not term.id_beginning
            else _of_id(ctx, term, filters, page)
        )
    if term.is_number and len(term.digits) > SHOWN_DIGITS:
        return _telling(ctx, term, [], user_finds.of(ctx, term, filters))
    # A beginning that many have is met at once by walking, and costs most to look for.
    if place is None or place.rank is None:
        page = _walked(ctx, term, filters, place, limit)
        if len(page.hits) == limit or place is not None:
            return page
    finds = user_finds.of(ctx, term, filters)
    rest = [find for find in finds if place is None or user_finds.order(find) > user_finds.order(place)]
    return _page(ctx, term, rest, limit, is_cut=len(finds) >= MOST_FOUND)


def _of_number(ctx: Context, term: Term, filters: Filters, place: Place | None, limit: int) -> Page:
    finds = number_finds.untelling(ctx, term, filters, place, limit + 1)
    has_whole = any(find.rank == Rank.WHOLE for find in finds)
    if len(finds) > limit or (has_whole and term.wholes):
        return _page(ctx, term, finds, limit)
    return _telling(ctx, term, finds, number_finds.telling(ctx, term, filters, MOST_TOLD + 1))


def _of_id(ctx: Context, term: Term, filters: Filters, nobody: Page) -> Page:
    """Who has a user ID that begins with digits which no number has; nobody's page when there is none."""
    finds = user_finds.of(ctx, term.as_id, filters)
    return _page(ctx, term.as_id, finds, len(finds)) if finds else nobody


def _telling(ctx: Context, term: Term, finds: list[Place], others: list[Place]) -> Page:
    """A last page, with the few users of whom the term says more digits than pages show.

    Each of them counts, as a reveal does, and is on record: with the four digits that are shown, a term of
    six is a whole number. Where there are many, none is shown, and the page asks for more digits.
    """
    if len(others) > MOST_TOLD:
        return _page(ctx, term, finds, len(finds), has_too_many=True)
    page = _page(ctx, term, finds + others, len(finds) + len(others))
    if others and ctx.caller.kind is ActorKind.ACCOUNT:
        allowed = ctx.profile.parts_told_per_hour - len(others) + 1
        hourly_caps.take(ctx, AuditAction.NUMBER_PART_TOLD, allowed, Reason.LOOK_UP_HOURLY_LIMIT)
        for hit in page.hits[len(finds) :]:
            audit.record(ctx, AuditAction.NUMBER_PART_TOLD, hit.user.id, {"digits": len(term.digits)})
    return page


def _page(ctx: Context, term: Term, finds: list[Place], limit: int, **said: bool) -> Page:
    users = _load(ctx, [find.serial for find in finds[:limit]])
    key = lookup_pages.write(finds[limit - 1]) if len(finds) > limit else None
    is_whole = any(
        user.phone_number in term.wholes or user.pending_phone_number in term.wholes for user in users
    )
    understood = term.sentence if is_whole else term.sentence_in_part or term.sentence
    return Page(_hits(term, users), key, understood, is_number=term.is_number, **said)


def _walked(ctx: Context, term: Term, filters: Filters, place: Place | None, limit: int) -> Page:
    walk = lookup_walks.walk(ctx, term, filters, place, limit)
    users = _load(ctx, walk.serials)
    key = lookup_pages.write(walk.next) if walk.next else None
    understood = term.sentence_in_part or term.sentence
    return Page(_hits(term, users), key, understood, walk.looked_back_to, is_number=term.is_number)


def _load(ctx: Context, serials: list[int]) -> list[UserLine]:
    found = {row[0]: UserLine(*row) for row in ctx.execute(_LINES, {"the_serials": serials})}
    return [found[serial] for serial in serials if serial in found]


def _hits(term: Term, users: list[UserLine]) -> list[Hit]:
    return [Hit(user, _matched(term, user) if term.is_number else None) for user in users]


def _matched(term: Term, user: UserLine) -> str | None:
    if user.phone_number and term.is_in(user.phone_number):
        return "current"
    return "pending" if user.pending_phone_number and term.is_in(user.pending_phone_number) else None
