"""What does an SMS say in one language, and why does it change?"""

import re

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from portal.services.sms_template_drafts import LONGEST_NOTE


class WordingForm(FlaskForm):
    """The text of an SMS template. Its rules live in core/placeholders.py; this form only carries it."""

    # Browsers send CRLF; the text is kept as typed otherwise, spaces at its ends included.
    body = TextAreaField("Text", filters=[lambda text: text.replace("\r\n", "\n") if text else text])
    note = StringField(
        "What changes, and why",
        validators=[
            Optional(),
            Length(max=LONGEST_NOTE, message=f"Shorten the note to {LONGEST_NOTE} characters."),
        ],
        description="For the other owners; users never see it.",
    )
    # The version that the writer started from, so that nobody overwrites what they have not seen.
    based_on = HiddenField()
    draft_seen = HiddenField()
    sample_app_name = StringField("App name")
    sample_minutes = StringField("Minutes")
    sample_code = StringField("Code")

    @property
    def version(self) -> int | None:
        """The version in `based_on`; None where the form says nothing, and 0 for what is no number."""
        given = self.based_on.data
        if given is None:
            return None
        return int(given) if re.fullmatch("[0-9]{1,9}", given) else 0
