"""Is this an account's e-mail address and password? The sign-in form."""

from typing import Any

from flask import current_app, request
from flask_security import LoginForm
from wtforms import PasswordField
from wtforms.validators import DataRequired, Length

from portal.database import reading
from portal.services import accounts
from portal.services.source_limits import Budget

# One sentence for every cause: nobody learns which addresses have an account (ENU-01).
REFUSED = "The e-mail address or the password is wrong."


class SignInForm(LoginForm):
    """Flask-Security's form, checked by our own hasher on its own threads."""

    # A cookie that signs in again by itself would outlive the session row.
    remember = None  # type: ignore[assignment]
    password = PasswordField("Password", validators=[DataRequired("Enter your password."), Length(max=1024)])

    def validate(self, **_given: Any) -> bool:
        """Whether to sign in; sets `user`. Raises Busy under too much load, TooSoon after too much wrong."""
        address = (self.email.data or "").strip().lower()
        typed = self.password.data or ""
        budgets = current_app.extensions["ringback"].sources
        source, tried = budgets.source_of(request.environ), budgets.account_of(address)
        spent = ((Budget.SIGN_INS, source), (Budget.ACCOUNT_SIGN_INS, tried))
        for budget, of in spent:
            budgets.require_room(budget, of)
        account = accounts.find(reading(), address) if _plausible(address) else None
        stored = account.password if account is not None and account.active else None
        checked = current_app.extensions["ringback"].hasher.check(stored, typed[:1024])
        if not checked.right:
            for budget, of in spent:
                budgets.note(budget, of)
            self.form_errors.append(REFUSED)
            return False
        self.user = account
        self.user_authenticated = True
        return True


def _plausible(address: str) -> bool:
    # PostgreSQL cannot compare with NUL, and no encoding carries a lone surrogate.
    return len(address) <= 254 and address.isprintable()
