"""Is a user suspended? The administrator reads and sets it."""

from flask import Response

from portal.api import answers, auth, body
from portal.api.operations import Who, operation, vendor
from portal.api.payloads import UserStatusUpdateRequest
from portal.api.shapes import Status
from portal.database import reading, transaction
from portal.services import users

_RULE = "/apps/<app_id>/users/<user>/status"
_READ = "UserStatusRetrievalResponse"


@operation("GET", _RULE, auth=Who.ADMIN, produces={(200, vendor(_READ)): Status})
def show(app_id: str, user: str) -> Response:
    """Whether the user is suspended."""
    ctx = auth.enter(reading(), app_id)
    return answers.write({"disabled": auth.reach_user(ctx, user).disabled}, _READ)


@operation(
    "PUT",
    _RULE,
    auth=Who.ADMIN,
    consumes={vendor("UserStatusUpdateRequest"): UserStatusUpdateRequest},
    produces={(204, ""): None},
)
def change(app_id: str, user: str) -> Response:
    """Suspends or readmits the user; suspending ends its tokens."""
    payload = body.read(UserStatusUpdateRequest)
    with transaction() as session:
        ctx = auth.enter(session, app_id)
        users.set_disabled(ctx, auth.reach(ctx, user), payload.disabled)
    return answers.nothing()
