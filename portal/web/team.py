"""The team of an app: its members, their roles, and who is invited."""

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from portal import clock
from portal.core.roles import Action, Role
from portal.database import reading, transaction
from portal.errors import BadInput, NotFound, TooSoon
from portal.services import invites, team
from portal.web import filters, limit_hits, mails
from portal.web.forms.team import MEANINGS, InviteForm, RoleForm
from portal.web.guards import Standing, may
from portal.web.parts import parts
from portal.web.render import go_to

pages = Blueprint("team", __name__, url_prefix="/apps/<id:app_id>/team")


@pages.get("")
@may(Action.SEE_TEAM)
def index(standing: Standing) -> Response:
    """Everybody who is a member, and every invite that is open."""
    app_id = standing.app.id
    page = render_template(
        "team/index.html",
        app=standing.app,
        members=team.members(reading(), app_id),
        invites=invites.open_of(reading(), app_id, clock.now()),
        sends_mail=parts().mailer.works,
        no_mail=mails.NO_MAIL,
    )
    return make_response(page)


@pages.get("/invites/new")
@may(Action.MANAGE_TEAM, asks_first=True)
def new(standing: Standing) -> Response:
    """The form of an invite."""
    return _invite_page(standing, InviteForm(None, role=Role.SUPPORT.value))


@pages.post("/invites")
@may(Action.MANAGE_TEAM)
def invite(standing: Standing) -> Response:
    """Mails an invite, or says at the form why not. Whether the address has an account shows nowhere."""
    form, mailer = InviteForm(), mails.mailer()
    if not form.validate():
        return _invite_page(standing, form, 422)
    try:
        with transaction() as session:
            ctx = standing.context(session)
            made, key = invites.send(ctx, form.email.data or "", form.chosen)
    except BadInput as refusal:
        form[refusal.field].errors = [refusal.message]
        return _invite_page(standing, form, 422)
    except TooSoon as refusal:
        limit_hits.note(standing, refusal)
        return _invite_page(standing, form, 429, refusal)
    mailer.send(mails.invite(made.email, standing.app.name, Role(made.role), key))
    until = filters.time_of_day(made.expires_at)
    flash(f"Invited {made.email} as {made.role}. The link works for 72 hours, until {until}.", "good")
    return _to_the_team(standing)


@pages.post("/invites/<id:invite_id>/removal")
@may(Action.MANAGE_TEAM)
def withdraw(standing: Standing, invite_id: str) -> Response:
    """Ends an open invite."""
    try:
        with transaction() as session:
            ctx = standing.context(session)
            gone = invites.withdraw(ctx, invite_id)
    except NotFound as refusal:
        flash(refusal.message, "bad")
    else:
        flash(f"Withdrew the invite of {gone.email}. Its link opens nothing any more.", "good")
    return _to_the_team(standing)


@pages.get("/<id:account_id>")
@may(Action.MANAGE_TEAM, asks_first=True)
def member(standing: Standing, account_id: str) -> Response:
    """One member: the role, and the end of the membership."""
    return _member_page(standing, account_id)


@pages.post("/<id:account_id>/role")
@may(Action.MANAGE_TEAM)
def change_role(standing: Standing, account_id: str) -> Response:
    """Gives another role, from the member's next request on."""
    form = RoleForm()
    if not form.validate():
        return _member_page(standing, account_id, form, 422)
    try:
        with transaction() as session:
            ctx = standing.context(session)
            changed = team.change_role(ctx, account_id, form.chosen)
    except BadInput as refusal:
        form.role.errors = [refusal.message]
        return _member_page(standing, account_id, form, 422)
    flash(f"{changed.email} is {changed.role} now.", "good")
    return _onwards(standing, account_id)


@pages.post("/<id:account_id>/removal")
@may(Action.MANAGE_TEAM)
def remove(standing: Standing, account_id: str) -> Response:
    """Ends a membership; whoever leaves by themselves goes back to their apps."""
    try:
        with transaction() as session:
            ctx = standing.context(session)
            gone = team.remove(ctx, account_id)
    except BadInput as refusal:
        form = RoleForm(formdata=None)
        form.role.errors = [refusal.message]
        return _member_page(standing, account_id, form, 422)
    left = account_id == standing.account_id
    flash(f"You left {standing.app.name}." if left else f"Removed {gone.email} from the team.", "good")
    return go_to(url_for("apps.index")) if left else _to_the_team(standing)


def _to_the_team(standing: Standing) -> Response:
    return go_to(url_for(".index", app_id=standing.app.id))


def _onwards(standing: Standing, account_id: str) -> Response:
    """Whoever is no owner any more cannot open the team's page."""
    is_own = account_id == standing.account_id
    return go_to(url_for("apps.show", app_id=standing.app.id)) if is_own else _to_the_team(standing)


def _invite_page(
    standing: Standing, form: InviteForm, status: int = 200, refusal: TooSoon | None = None
) -> Response:
    mails.mailer()
    page = render_template("team/new.html", app=standing.app, form=form, meanings=MEANINGS, refusal=refusal)
    return make_response(page, status)


def _member_page(
    standing: Standing, account_id: str, form: RoleForm | None = None, status: int = 200
) -> Response:
    found = team.member(reading(), standing.app.id, account_id)
    owners = [each for each in team.members(reading(), standing.app.id) if each.role is Role.OWNER]
    page = render_template(
        "team/member.html",
        app=standing.app,
        member=found,
        form=form or RoleForm(None, role=found.role.value),
        meanings=MEANINGS,
        is_last_owner=[each.account_id for each in owners] == [account_id],
    )
    return make_response(page, status)
