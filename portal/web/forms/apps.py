"""What is a new app called, and where is it at home?"""

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, ValidationError

from portal.core import app_name
from portal.web import countries


class NewAppForm(FlaskForm):
    """The form of a new app. Everything else has a default and can be changed later."""

    name = StringField(
        "Name",
        filters=[lambda text: text.strip() if text else text],
        validators=[DataRequired("Give the app a name.")],
        description="Your users read it in their SMS. At most 30 characters.",
    )
    home_country = SelectField(
        "Home country",
        choices=lambda: [
            ("", "Choose a country"),
            *((code, name) for code, name, _ in countries.all_by_name()),
        ],
        validators=[DataRequired("Choose the country where most of your users are.")],
        description="Only numbers of this country get SMS until you open more.",
    )

    def validate_name(self, field: StringField) -> None:
        """Refuses a name that may not stand in an SMS (TPL-03)."""
        problem = app_name.problem(field.data or "")
        if problem:
            raise ValidationError(problem)
