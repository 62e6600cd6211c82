"""Sending a test of an SMS template: what is sent, where to, how it fared; and the owner's own number."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, make_response, request, url_for
from flask_wtf import FlaskForm

from portal import clock
from portal.core import locales
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput, CodeExpired, NotFound, NothingToVerify, Refusal, TooSoon, WrongCode
from portal.models import App, AppMode, Message, MessagePurpose, Provider
from portal.services import own_numbers, providers, sms_templates, test_allowance, test_sends
from portal.services.context import Context
from portal.web import previews
from portal.web.errors import wording_for
from portal.web.filters import ahead, isolated
from portal.web.forms.test_sends import CodeForm, NumberForm
from portal.web.guards import Standing, may
from portal.web.render import go_to, page_or_fragment
from portal.web.sms_template_pages import tag_of

pages = Blueprint("test_sends", __name__, url_prefix="/apps/<id:app_id>/sms-templates/<locale:locale>/test")

PAGE = "test_sends/show.html"
STATE = "test_sends/_state.html"
# What a person can put right on this very page.
AT_THE_FORM = (BadInput, TooSoon, WrongCode, CodeExpired, NothingToVerify)


@pages.get("")
@may(Action.CHANGE_SMS_TEMPLATES)
def show(standing: Standing, locale: str) -> Response:
    """The page; for htmx only how the newest test fares, and 204 while that is as it was."""
    values = _page(standing, tag_of(locale))
    message = values["message"]
    if message is not None and request.args.get("seen") == message.state:
        return make_response("", 204)
    return page_or_fragment(PAGE, STATE, **values)


@pages.post("")
@may(Action.CHANGE_SMS_TEMPLATES)
def send(standing: Standing, locale: str) -> Response:
    """Sends a test, or says beside the button why not."""
    tag = tag_of(locale)
    by = _chosen(standing)
    refusal = _try(
        standing,
        lambda ctx: test_sends.send(ctx, standing.app, standing.account_id, tag, by.id if by else None),
    )
    if refusal is not None:
        return _refused(standing, tag, refusal)
    where = "the inbox" if standing.app.mode == AppMode.SANDBOX else "your number"
    where += f" through {isolated(by.label)}" if by else ""
    return _back(standing, tag, f"The test is on its way to {where}.")


@pages.post("/number")
@may(Action.CHANGE_SMS_TEMPLATES)
def ask(standing: Standing, locale: str) -> Response:
    """Sends a code to the number that the owner gives, or says at the field why not."""
    tag, form = tag_of(locale), NumberForm()
    if not form.validate():
        return page_or_fragment(PAGE, PAGE, status=422, **_page(standing, tag, number_form=form))
    number = form.number.data or ""
    refusal = _try(standing, lambda ctx: own_numbers.ask(ctx, standing.app, standing.account_id, number))
    if refusal is not None:
        return _refused(standing, tag, refusal, number_form=form)
    return _back(standing, tag, "A code is on its way to your number.")


@pages.post("/code/new")
@may(Action.CHANGE_SMS_TEMPLATES)
def ask_again(standing: Standing, locale: str) -> Response:
    """Sends a new code to the number that waits for one."""
    tag = tag_of(locale)
    refusal = _try(standing, lambda ctx: own_numbers.ask_again(ctx, standing.app, standing.account_id))
    if refusal is not None:
        return _refused(standing, tag, refusal)
    return _back(standing, tag, "A new code is on its way. The one before it has ended.")


@pages.post("/code")
@may(Action.CHANGE_SMS_TEMPLATES)
def confirm(standing: Standing, locale: str) -> Response:
    """Takes the code; a wrong one stays in its field."""
    tag, form = tag_of(locale), CodeForm()
    if not form.validate():
        return page_or_fragment(PAGE, PAGE, status=422, **_page(standing, tag, code_form=form))
    typed = form.code.data or ""
    refusal = _try(standing, lambda ctx: own_numbers.confirm(ctx, standing.account_id, typed))
    if refusal is not None:
        return _refused(standing, tag, refusal, code_form=form)
    return _back(standing, tag, "This number is yours: tests of live apps go to it.")


@pages.post("/number/removal")
@may(Action.CHANGE_SMS_TEMPLATES)
def forget(standing: Standing, locale: str) -> Response:
    """Takes the owner's number away, so that another one can be given."""
    tag = tag_of(locale)
    with transaction() as session:
        own_numbers.forget(standing.context(session), standing.account_id)
    return _back(standing, tag, "Your number is forgotten. Give the one that tests should go to.")


def _try(standing: Standing, verb: Callable[[Context], object]) -> Refusal | None:
    """Runs a verb in a transaction; the refusal that the page can show at its form, if there was one."""
    try:
        with transaction() as session:
            verb(standing.context(session))
    except AT_THE_FORM as refusal:
        return refusal
    return None


def _page(standing: Standing, tag: str, **more: object) -> dict[str, Any]:
    """What the page shows. Raises NotFound for a locale without a template, which has nothing to send."""
    app, session, now = standing.app, reading(), clock.now()
    saved = sms_templates.get(session, app.id, tag)
    own = own_numbers.of(session, standing.account_id)
    step = _step(app, own, now)
    message = _message(standing, tag, step)
    return {
        "app": app,
        "locale": tag,
        "saved": saved,
        "preview": previews.of(app, saved.body),
        "step": step,
        "own": own,
        "sandbox_number": _sandbox_number(app),
        "allowance": test_allowance.of(session, standing.account_id, now),
        "tests_a_day": test_allowance.TESTS_A_DAY,
        "message": message,
        "chosen": _chosen(standing),
        "taken_by": _taken_by(standing, message),
        "number_form": NumberForm(None),
        "code_form": CodeForm(None),
        "refusal": "",
    } | more


def _step(app: App, own: own_numbers.OwnNumber, now: int) -> str:
    """What comes next: `send`, or in a live app first `number` and then `code`."""
    if app.mode == AppMode.SANDBOX or own.confirmed:
        return "send"
    return "code" if own.is_waiting(now) else "number"


def _message(standing: Standing, tag: str, step: str) -> Message | None:
    """The newest test of this wording, or the newest SMS with a code while one is waited for."""
    mine = (reading(), standing.app.id, standing.account_id)
    if step == "send":
        return test_sends.latest(*mine, MessagePurpose.TEST, tag)
    return test_sends.latest(*mine, MessagePurpose.OWN_NUMBER) if step == "code" else None


def _chosen(standing: Standing) -> Provider | None:
    """The carrier that the address asks to try. Raises NotFound; a sandbox tries none."""
    provider_id = request.args.get("provider")
    if not provider_id or standing.app.mode == AppMode.SANDBOX:
        return None
    return providers.get(reading(), standing.app.id, provider_id)


def _taken_by(standing: Standing, message: Message | None) -> Provider | None:
    """The carrier that took a message, or will; None for the inbox, and for one that was removed."""
    if message is None:
        return None
    provider_id = message.provider_id or message.values.get("provider_id")
    return next(
        (each for each in providers.all_of(reading(), standing.app.id) if each.id == provider_id), None
    )


def _sandbox_number(app: App) -> str | None:
    if app.mode != AppMode.SANDBOX:
        return None
    try:
        return test_sends.sandbox_number(app).e164
    except BadInput:
        return None


def _refused(standing: Standing, tag: str, refusal: Refusal, **forms: FlaskForm) -> Response:
    """The page with the reason beside what comes next, and everything that was typed."""
    values = _page(standing, tag, **forms)
    fields = {"number": values["number_form"]["number"], "code": values["code_form"]["code"]}
    if values["step"] in fields:
        fields[values["step"]].errors = [_worded(refusal)]
    else:
        values["refusal"] = _worded(refusal)
    return page_or_fragment(PAGE, PAGE, status=wording_for(refusal).status, **values)


def _worded(refusal: Refusal) -> str:
    """The sentence of a refusal, with the time to come back where there is one."""
    if isinstance(refusal, TooSoon):
        return f"{refusal.message} The next one is possible {ahead(refusal.next_allowed_at)}."
    return refusal.message


def _back(standing: Standing, tag: str, told: str) -> Response:
    flash(told, "good")
    by = request.args.get("provider") or None
    return go_to(url_for(".show", app_id=standing.app.id, locale=tag, provider=by))


def _tag(locale: str) -> str:
    try:
        return locales.normalise(locale)
    except locales.LocaleError as error:
        raise NotFound("sms_template", "There is no such language.") from error
