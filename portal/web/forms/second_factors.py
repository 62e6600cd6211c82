"""Does the app show the right code, what is a passkey called, and may the last factor go?"""

from typing import Any

from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portal.core.password_rules import SHORTEST_ALONE
from portal.errors import TooSoon
from portal.web import proofs


class AppForm(FlaskForm):
    """The code that the app shows."""

    code = StringField(
        "Code that the app shows", validators=[InputRequired("Enter the code."), Length(max=20)]
    )


class PasskeyForm(FlaskForm):
    """What a new passkey is called; the browser's answer is put in by a script."""

    name = StringField(
        "Name",
        description="So that you know it again, such as Work laptop.",
    )
    passkey = HiddenField()


class LastFactorForm(FlaskForm):
    """The password, which has to do alone from now on. `refusal` is set where a limit was hit."""

    last_password = PasswordField("Your password", validators=[InputRequired("Enter your password.")])
    refusal: TooSoon | None = None

    def validate(self, **given: Any) -> bool:
        """Whether it is theirs, and long enough to stand alone (WEB-09)."""
        if not super().validate(**given):
            return False
        typed = self.last_password.data or ""
        try:
            is_right = proofs.password_of(current_user.email, typed) is not None
        except TooSoon as refusal:
            self.refusal = refusal
            return False
        if not is_right:
            self.last_password.errors = ["This is not your password."]
        elif len(typed) < SHORTEST_ALONE:
            self.last_password.errors = [
                f"Alone it needs {SHORTEST_ALONE} characters. Change it first, then remove this."
            ]
        return not self.last_password.errors
