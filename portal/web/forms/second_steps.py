"""Which code proves the person whose password was right?"""

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.validators import Length

from portal.errors import TooSoon


class SecondStepForm(FlaskForm):
    """A code, or the answer of a passkey. `refusal` is set where a limit was hit."""

    code = StringField("Code", validators=[Length(max=100)])
    passkey = HiddenField()
    refusal: TooSoon | None = None
