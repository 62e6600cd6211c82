"""How do all SMS templates of an app leave it in one file, and come in again? With a look before the leap."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.core import template_file, template_plan
from portal.core.locales import LAST_RESORT
from portal.core.template_file import MOST_TEMPLATES, FileError
from portal.core.template_plan import Change, Kind
from portal.errors import BadInput, Overtaken
from portal.models import App, AuditAction
from portal.services import audit, sms_template_drafts, sms_templates
from portal.services.context import Context
from portal.services.sms_template_drafts import Submission

NOTE = "Imported"


@dataclass(frozen=True, slots=True)
class Plan:
    """What importing a file would do to an app; nothing while there is any problem.

    `stamp` stands for everything that the plan was made from: where it has changed, so may the plan.
    """

    changes: tuple[Change, ...]
    problems: tuple[str, ...]
    default_locale: str | None
    stamp: str

    def count(self, kind: Kind) -> int:
        """How many SMS templates this happens to."""
        return sum(change.kind is kind for change in self.changes)

    @property
    def saved(self) -> int:
        """How many wordings would be saved."""
        return self.count(Kind.ADD) + self.count(Kind.CHANGE)


def export(session: Session, app: App) -> str:
    """The text of a file with every wording in force. Drafts and former versions stay."""
    wordings = ((each.locale, each.body) for each in sms_templates.all_of(session, app.id))
    return template_file.write(app.default_locale, wordings)


def examine(session: Session, app: App, text: str | bytes, remove_missing: bool) -> Plan:
    """What importing a file would do now. Changes nothing, and never raises: problems are in the plan."""
    stamp = _stamp(session, app)
    try:
        wanted = template_file.read(text)
    except FileError as error:
        return Plan((), tuple(error.problems), None, stamp)
    present = {each.locale: each.body for each in sms_templates.all_of(session, app.id)}
    keep = (LAST_RESORT, app.default_locale)
    changes = template_plan.plan(present, wanted, remove_missing, keep)
    problems = [*_too_many(changes), *(problem for each in changes for problem in _problems(app, each))]
    return Plan(tuple(changes), tuple(problems), wanted.default_locale, stamp)


def bring_in(ctx: Context, text: str, remove_missing: bool, stamp: str) -> Plan:
    """Does what a plan with this stamp said, all of it or nothing, and returns the plan.

    Each wording is a new version, or a draft where the app asks for a second owner. Raises BadInput when
    the file has a problem, Overtaken when templates or settings have changed since the plan was made.
    """
    app = sms_templates.lock(ctx)
    found = examine(ctx.session, app, text, remove_missing)
    if found.stamp != stamp:
        raise Overtaken("The SMS templates or settings have changed since you looked.")
    if found.problems:
        raise BadInput("file", found.problems[0])
    # What goes makes room for what comes.
    for change in sorted(found.changes, key=lambda each: each.kind is not Kind.REMOVE):
        _make(ctx, change)
    kinds = Counter(change.kind for change in found.changes)
    details: dict[str, object] = {str(kind): kinds[kind] for kind in Kind}
    audit.record(ctx, AuditAction.SMS_TEMPLATES_IMPORTED, details=details)
    return found


def _make(ctx: Context, change: Change) -> None:
    if change.kind is Kind.REMOVE:
        sms_templates.remove(ctx, change.locale)
    elif change.kind is not Kind.SAME and change.new is not None:
        sms_template_drafts.submit(ctx, Submission(change.locale, change.new, NOTE))


def _too_many(changes: list[Change]) -> Iterator[str]:
    left = sum(change.kind is not Kind.REMOVE for change in changes)
    if left > MOST_TEMPLATES:
        yield f"There would be {left} languages. An app words its SMS in at most {MOST_TEMPLATES}."


def _problems(app: App, change: Change) -> Iterator[str]:
    """Why this app may not send a wording although any other might (TPL-02, TPL-03)."""
    if change.kind is Kind.SAME or change.new is None:
        return
    strange = sms_templates.strange_line(app, change.new)
    if strange:
        yield f"{change.locale}: with the app's name, the text says {strange}. Put a space between them."
    needed = sms_templates.most_needed(app, change.new)
    if needed > app.most_segments:
        room = "1 segment" if app.most_segments == 1 else f"{app.most_segments} segments"
        yield f"{change.locale}: the text needs {needed} segments an SMS, and {room} may be used."


def _stamp(session: Session, app: App) -> str:
    """A short word for what a plan is made from: wordings in force, drafts, and the settings that decide."""
    versions = [(each.locale, each.version) for each in sms_templates.all_of(session, app.id)]
    drafts = [(each.locale, each.id) for each in sms_template_drafts.all_of(session, app.id)]
    settings = [app.default_locale, app.most_segments, app.sms_templates_need_approval]
    whole = json.dumps([versions, drafts, settings])
    return hashlib.sha256(whole.encode()).hexdigest()[:32]
