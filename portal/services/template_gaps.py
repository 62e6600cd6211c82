"""Do many of an app's users get their SMS in another language than theirs, for want of a template?"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from portal import clock
from portal.models import App, SmsTemplate
from portal.services import locale_use

# Counting reads an entry of an index for each user, so it is done this seldom (ms).
REMEMBERED: Final = 10 * clock.MINUTE
# One user in so many makes a gap; a few with a rare language are only told where the templates are.
ONE_IN: Final = 20


@dataclass(frozen=True, slots=True)
class Gap:
    """The locale whose template would serve most of those who lack theirs, and how many users they are."""

    locale: str
    users: int


def of(session: Session, app_id: str) -> Gap | None:
    """The widest gap of an app; None where fewer than one user in twenty lack the same template."""
    default = session.scalar(select(App.default_locale).where(App.id == app_id))
    offered = session.scalars(select(SmsTemplate.locale).where(SmsTemplate.app_id == app_id)).all()
    uses = locale_use.of(session, app_id, offered, default or "en")
    lacking: Counter[str] = Counter()
    for use in uses:
        if use.lacks is not None:
            lacking[use.lacks] += use.users
    if not lacking:
        return None
    locale, users = lacking.most_common(1)[0]
    return Gap(locale, users) if users * ONE_IN >= sum(use.users for use in uses) else None


def stands(session: Session, app_id: str, gap: Gap) -> bool:
    """Whether nobody has closed a gap since it was counted."""
    closed = exists().where(SmsTemplate.app_id == app_id, SmsTemplate.locale == gap.locale)
    return not session.scalar(select(closed))
