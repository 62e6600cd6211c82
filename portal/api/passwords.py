"""How does a user change its password? The old one proves it, and every token ends."""

from flask import Response

from portal.api import answers, auth, body
from portal.api.operations import Who, operation, vendor
from portal.api.payloads import ChangePasswordRequest
from portal.database import reading, transaction
from portal.errors import BadInput, WrongPassword
from portal.services import users


@operation(
    "PUT",
    "/apps/<app_id>/users/<user>/password",
    auth=Who.SELF,
    consumes={vendor("ChangePasswordRequest"): ChangePasswordRequest},
    produces={(204, ""): None},
)
def change(app_id: str, user: str) -> Response:
    """Changes the password; all the user's tokens end."""
    payload = body.read(ChangePasswordRequest)
    user_id, old_hash = _stored(app_id, user)
    hasher = auth.parts().hasher
    if old_hash is None or not hasher.check(old_hash, payload.old_password).right:
        raise WrongPassword("The old password is wrong.", user_id=user_id)
    if payload.new_password == payload.old_password:
        raise BadInput("newPassword", "The new password is the old one.")
    new_hash = hasher.hash(payload.new_password)
    with transaction() as session:
        users.change_password(auth.again(session), user_id, old_hash, new_hash)
    return answers.nothing()


def _stored(app_id: str, user: str) -> tuple[str, str | None]:
    session = reading()
    try:
        found = auth.reach_user(auth.enter(session, app_id), user)
        return found.id, found.password_hash
    finally:
        # Checking a password takes long; nothing of the database is held meanwhile.
        session.rollback()
