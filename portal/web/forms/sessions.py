"""Is this an account's e-mail address and password? The sign-in form."""

from typing import Any

from flask import request
from flask_security import LoginForm
from wtforms import PasswordField
from wtforms.validators import DataRequired, Length

from portal.database import reading
from portal.errors import TooSoon
from portal.models import Account
from portal.services import second_factors
from portal.services.source_limits import Budget
from portal.web import proofs
from portal.web.parts import parts

# One sentence for every cause: nobody learns which addresses have an account (ENU-01).
REFUSED = "The e-mail address or the password is wrong."


class SignInForm(LoginForm):
    """Flask-Security's form, checked by our own hasher on its own threads."""

    # A cookie that signs in again by itself would outlive the session row.
    remember = None  # type: ignore[assignment]
    password = PasswordField("Password", validators=[DataRequired("Enter your password."), Length(max=1024)])
    refusal: TooSoon | None = None
    # Who still has to prove it by a second factor, their password being right.
    half_signed_in: Account | None = None

    def validate(self, **_given: Any) -> bool:
        """Whether to sign in; sets `user`. Raises Busy under too much load, TooSoon after too much wrong."""
        address = (self.email.data or "").strip().lower()
        budgets = parts().sources
        source = budgets.source_of(request.environ)
        try:
            budgets.require_room(Budget.SIGN_INS, source)
            account = proofs.password_of(address, self.password.data or "")
        except TooSoon as refusal:
            self.refusal = refusal
            self.form_errors.append(refusal.message)
            return False
        if account is None:
            budgets.note(Budget.SIGN_INS, source)
            self.form_errors.append(REFUSED)
            return False
        if second_factors.of(reading(), account.id):
            self.half_signed_in = account
            return False
        self.user = account
        self.user_authenticated = True
        return True
