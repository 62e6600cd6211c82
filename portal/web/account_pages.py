"""The blueprint of one's own account; several files add their pages to it."""

from flask import Blueprint
from flask_login import current_user
from sqlalchemy.orm import Session

from portal.models import ActorKind
from portal.services.context import Caller, Context
from portal.web.parts import parts

pages = Blueprint("accounts", __name__, url_prefix="/account")


def context(session: Session) -> Context:
    """The surroundings of a call by whoever is signed in, outside any app."""
    caller = Caller(ActorKind.ACCOUNT, "", current_user.id)
    return parts().context(session, caller)
