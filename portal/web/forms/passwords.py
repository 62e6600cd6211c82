"""Is this a password to begin with? Length and what everybody tries first (WEB-09)."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import InputRequired

from portal.core import password_rules


class NewPasswordForm(FlaskForm):
    """A new password. `email` and `has_second_factor` say whose, as the rules need to know."""

    new_password = PasswordField("New password", validators=[InputRequired("Choose a password.")])

    def __init__(self, *given: Any, email: str = "", has_second_factor: bool = False, **named: Any) -> None:
        super().__init__(*given, **named)
        self._email, self._has_second_factor = email, has_second_factor
        shortest = password_rules.shortest_for(has_second_factor=has_second_factor)
        self.new_password.description = (
            f"{shortest} characters or more. A few words that nobody would put together are best."
        )

    def validate(self, **given: Any) -> bool:
        """Whether it may be used."""
        if not super().validate(**given):
            return False
        fault = password_rules.fault(
            self.new_password.data or "", self._email, has_second_factor=self._has_second_factor
        )
        if fault:
            self.new_password.errors = [fault]
        return fault is None
