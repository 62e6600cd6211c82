"""How does an app verify numbers? The switch and the settings form."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, RadioField, SelectField, SelectMultipleField, widgets
from wtforms.validators import InputRequired, NumberRange, ValidationError

from portal.models import NumberTaken
from portal.web import countries


class SwitchForm(FlaskForm):
    """The toggle: a box that is sent when it is ticked and missing when it is not."""

    required = BooleanField("Phone verification")


class SettingsForm(FlaskForm):
    """The settings of verification. Numbers outside their range are refused with the range."""

    code_length = IntegerField(
        "Code length",
        validators=[
            InputRequired("Write a number from 4 to 10."),
            NumberRange(4, 10, "Write a number from 4 to 10."),
        ],
        description="Digits, 4 to 10.",
    )
    code_life_minutes = IntegerField(
        "Code valid for",
        validators=[
            InputRequired("Write a number from 1 to 10."),
            NumberRange(1, 10, "Write a number from 1 to 10."),
        ],
        description="Minutes, 1 to 10.",
    )
    guesses_allowed = IntegerField(
        "Wrong codes allowed",
        validators=[
            InputRequired("Write a number from 1 to 10."),
            NumberRange(1, 10, "Write a number from 1 to 10."),
        ],
        description="1 to 10. After that the user asks for a new code.",
    )
    sends_allowed = IntegerField(
        "Sends allowed",
        validators=[
            InputRequired("Write a number from 1 to 10."),
            NumberRange(1, 10, "Write a number from 1 to 10."),
        ],
        description="1 to 10 SMS with the same code.",
    )
    number_taken = RadioField(
        "When somebody else holds the number",
        choices=[
            (NumberTaken.REFUSE.value, "Refuse: the first holder keeps it"),
            (NumberTaken.MOVE.value, "Move: the right code takes the number over"),
        ],
        description="Numbers change hands when carriers give them out again.",
    )
    notify_old_number = BooleanField("Tell the old number when a change starts")
    default_locale = SelectField(
        "Default language",
        description="Users whose language has no SMS template get this one.",
        validate_choice=True,
    )
    open_countries = SelectMultipleField(
        "Open countries",
        choices=lambda: [(code, name) for code, name, _ in countries.all_by_name()],
        option_widget=widgets.CheckboxInput(),
        description="Only numbers of these countries get SMS.",
    )

    def validate_open_countries(self, field: SelectMultipleField) -> None:
        """Refuses an empty list: such an app could text nobody."""
        if not field.data:
            raise ValidationError("Keep at least one country open. To send nothing, switch verification off.")
