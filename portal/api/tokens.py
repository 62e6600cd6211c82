"""Who gets a bearer token? The token requests of contract b.4."""

from flask import Response

from portal.api import answers, auth, body
from portal.api.operations import FORM, JSON, Who, operation, vendor
from portal.api.payloads import TokenForm, TokenRequest
from portal.api.refusals import WrongRefreshToken
from portal.api.shapes import TokenAnswer
from portal.database import reading, transaction
from portal.errors import BadInput, InvalidGrant, UserDisabled
from portal.services import tokens
from portal.services.context import Context
from portal.services.tokens import Issued, LoginCandidate

_TAKES = {vendor("OauthTokenRequest"): TokenRequest}
_GIVES = {(200, JSON): TokenAnswer}


@operation("POST", "/oauth2/token", auth=Who.APP, consumes=_TAKES, produces=_GIVES)
def request_token() -> Response:
    """A token, in the app that the Basic or X-Kii headers name."""
    return _issue(None)


@operation(
    "POST",
    "/apps/<app_id>/oauth2/token",
    auth=Who.APP,
    consumes={**_TAKES, FORM: TokenForm},
    produces=_GIVES,
)
def request_app_token(app_id: str) -> Response:
    """A token, in the app of the path."""
    return _issue(app_id)


def _issue(app_id: str | None) -> Response:
    wanted = body.read(TokenRequest)
    session = reading()
    try:
        ctx = auth.enter_to_log_in(session, app_id)
        candidate = _candidate(ctx, wanted)
    finally:
        # Checking a password takes long; nothing of the database is held meanwhile.
        session.rollback()
    if candidate is not None:
        return _written(_log_in(wanted, candidate))
    with transaction() as session:
        return _written(_without_user(auth.again(session), wanted))


def _candidate(ctx: Context, wanted: TokenRequest) -> LoginCandidate | None:
    """Whom a user login names; None when the fields ask for another kind of token."""
    if wanted.username is None or wanted.password is None:
        return None
    return tokens.find_login(ctx.session, ctx.app_id, wanted.username)


def _log_in(wanted: TokenRequest, candidate: LoginCandidate) -> Issued:
    checked = auth.parts().hasher.check(candidate.password_hash, wanted.password or "")
    if not checked.right:
        raise InvalidGrant(tokens.REFUSED)
    if candidate.disabled:
        raise UserDisabled("This user is disabled.", user_id=candidate.user_id)
    with transaction() as session:
        return tokens.log_in(auth.again(session), candidate, wanted.expires_at, checked.new_hash)


def _without_user(ctx: Context, wanted: TokenRequest) -> Issued:
    """A token by refresh token, for the administrator, or for the app itself: the fields decide."""
    if wanted.refresh_token is not None:
        return _refreshed(ctx, wanted.refresh_token)
    if wanted.client_id is None or wanted.client_secret is None:
        raise BadInput(
            "username",
            "Send username and password, client_id and client_secret, or refresh_token.",
        )
    if wanted.client_id == ctx.app_id:
        return tokens.log_in_anonymously(ctx, wanted.client_secret, wanted.expires_at)
    return tokens.log_in_as_admin(ctx, wanted.client_id, wanted.client_secret, wanted.expires_at)


def _refreshed(ctx: Context, refresh_token: str) -> Issued:
    try:
        return tokens.refresh(ctx, refresh_token)
    except InvalidGrant as refusal:
        raise WrongRefreshToken(refusal.message) from None


def _written(issued: Issued) -> Response:
    fields: dict[str, object] = {
        "id": issued.id,
        "access_token": issued.token,
        "expires_in": issued.expires_in,
        "token_type": "bearer",
    }
    if issued.refresh_token is not None:
        fields["refresh_token"] = issued.refresh_token
    return answers.write(fields)
