"""Is this a password to begin with? Length and what everybody tries first (WEB-09)."""

from typing import Any

from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, ValidationError
from wtforms.widgets import PasswordInput

from portal.core import password_rules
from portal.errors import BadInput, TooSoon
from portal.services import accounts
from portal.web import proofs


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


class ChangePasswordForm(NewPasswordForm):
    """The current password and a new one. `refusal` is set where a limit was hit."""

    current_password = PasswordField(
        "Current password", validators=[InputRequired("Enter your current password.")]
    )
    refusal: TooSoon | None = None

    def validate(self, **given: Any) -> bool:
        """Whether the person is who they say, and the new password may be used."""
        is_good = super().validate(**given)
        typed = self.current_password.data or ""
        if not typed:
            return False
        try:
            is_right = proofs.password_of(current_user.email, typed) is not None
        except TooSoon as refusal:
            self.refusal = refusal
            return False
        if not is_right:
            self.current_password.errors = ["This is not your current password."]
        # Whoever knows it need not type it again because of the new one.
        self.current_password.widget = PasswordInput(hide_value=not is_right)
        return is_good and is_right


class AskForLinkForm(FlaskForm):
    """The address that a link for a new password goes to."""

    email = StringField("E-mail address")

    def validate_email(self, field: StringField) -> None:
        """Refuses what is no address; whether it has an account is no matter of this form (ENU-05)."""
        try:
            accounts.read_address(field.data or "")
        except BadInput as refusal:
            raise ValidationError(refusal.message) from refusal
