"""Which number is the owner's own, and what does the SMS to it say?"""

from flask_wtf import FlaskForm
from wtforms import StringField, TelField
from wtforms.validators import InputRequired

from portal.core import code, phone_number


class NumberForm(FlaskForm):
    """The number that tests go to. Its rules live in core/phone_number.py; this form only carries it."""

    number = TelField(
        "Your mobile number",
        validators=[InputRequired("Write your mobile number, such as +81 90 1234 5678.")],
        description="With its country code, or as you dial it at home. Only you see it, and only masked.",
        render_kw={"autocomplete": "tel", "maxlength": phone_number.LONGEST_INPUT},
    )


class CodeForm(FlaskForm):
    """The code out of the SMS to that number."""

    code = StringField(
        "Code",
        validators=[InputRequired("Type the code from the SMS.")],
        description=f"The {code.USUAL} digits in the newest SMS.",
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 4 * code.LONGEST},
    )
