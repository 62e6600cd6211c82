"""Why is this done to a user, and what did the person see who asks for it?"""

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField

from portal.core import typed_reason

KEPT = "It stays in the audit log. No phone numbers, no codes."


class ReasonForm(FlaskForm):
    """The reason. Its rules live in core/typed_reason.py; this form only carries it."""

    reason = StringField(
        "Reason",
        description=KEPT,
        render_kw={"maxlength": typed_reason.LONGEST, "autocomplete": "off", "dir": "auto"},
    )


class DeedForm(ReasonForm):
    """The reason, and the stamp of what the confirmation showed."""

    seen = HiddenField()
