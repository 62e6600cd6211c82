"""Is it really this person? The password once more, before what could do harm."""

from typing import Any

from flask import request
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import DataRequired, Length

from portal.errors import TooSoon
from portal.web import proofs

# Names of its own: it is sent together with the fields of whatever form it stands before.
PREFIX = "confirm_"
REFUSED = "This is not your password."


class ProofForm(FlaskForm):
    """The password of whoever is signed in. `refusal` is set where a limit was hit."""

    confirm_password = PasswordField(
        "Password", validators=[DataRequired("Enter your password."), Length(max=proofs.LONGEST_PASSWORD)]
    )
    refusal: TooSoon | None = None

    @property
    def was_sent(self) -> bool:
        """Whether the request carries this form, or only the one that it stands before."""
        return any(name.startswith(PREFIX) for name in request.form)

    def validate(self, **_given: Any) -> bool:
        """Whether it is the right person. Raises Busy when too many passwords are being checked."""
        if not super().validate():
            return False
        try:
            found = proofs.password_of(current_user.email, self.confirm_password.data or "")
        except TooSoon as refusal:
            self.refusal = refusal
            return False
        if found is None:
            self.confirm_password.errors = [REFUSED]
        return found is not None
