"""Is it really this person? What they sign in with, asked once more before what could do harm."""

from typing import Any

from flask import request
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import Length

from portal.database import reading
from portal.errors import TooSoon
from portal.services import second_factors
from portal.services.second_factors import WRONG_CODE
from portal.web import proofs

# Names of its own: it is sent together with the fields of whatever form it stands before.
PREFIX = "confirm_"
REFUSED = "This is not your password."
CODE = "Code of your authenticator app, or a recovery code"


class ProofForm(FlaskForm):
    """The password of whoever is signed in and, where there is one, the second factor; or a passkey for both.

    `refusal` is set where a limit was hit.
    """

    confirm_password = PasswordField("Password", validators=[Length(max=proofs.LONGEST_PASSWORD)])
    confirm_code = StringField(CODE, validators=[Length(max=100)])
    confirm_passkey = HiddenField()
    refusal: TooSoon | None = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.factors = second_factors.of(reading(), current_user.id)

    @property
    def was_sent(self) -> bool:
        """Whether the request carries this form, or only the one that it stands before."""
        return any(name.startswith(PREFIX) for name in request.form)

    def validate(self, **_given: Any) -> bool:
        """Whether it is the right person. Raises Busy when too many passwords are being checked."""
        if not super().validate():
            return False
        try:
            if self.confirm_passkey.data:
                return self._is_their_passkey()
            return self._is_their_password() and (not self.factors or self._is_their_code())
        except TooSoon as refusal:
            self.refusal = refusal
            return False

    def _is_their_passkey(self) -> bool:
        if proofs.passkey_of(self.confirm_passkey.data or "", alone=True, account_id=current_user.id) is None:
            self.form_errors.append("This passkey is not one of yours, or did not check who you are.")
            return False
        return True

    def _is_their_password(self) -> bool:
        typed = self.confirm_password.data or ""
        if not typed:
            self.confirm_password.errors = ["Enter your password."]
            return False
        if proofs.password_of(current_user.email, typed) is None:
            self.confirm_password.errors = [REFUSED]
            return False
        return True

    def _is_their_code(self) -> bool:
        typed = self.confirm_code.data or ""
        if not typed:
            self.confirm_code.errors = ["Enter a code."]
            return False
        if not proofs.code_of(current_user.id, typed):
            self.confirm_code.errors = [WRONG_CODE]
            return False
        return True
