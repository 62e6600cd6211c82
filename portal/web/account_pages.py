"""The blueprint of one's own account; several files add their pages to it."""

from flask import Blueprint, current_app
from flask_login import current_user

from portal.models import ActorKind
from portal.services.context import Caller, Context

pages = Blueprint("accounts", __name__, url_prefix="/account")


def context(session: object) -> Context:
    """The surroundings of a call by whoever is signed in, outside any app."""
    caller = Caller(ActorKind.ACCOUNT, "", current_user.id)
    made: Context = current_app.extensions["ringback"].context(session, caller)
    return made
