"""Does the owner really mean to void every secret and token?"""

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import ValidationError

VERB = "reset"


class ResetForm(FlaskForm):
    """A reset ends every token of the app, so its verb is typed, not just clicked."""

    confirmation = StringField(
        f"Type {VERB} to confirm", filters=[lambda text: text.strip().lower() if text else text]
    )

    def validate_confirmation(self, field: StringField) -> None:
        """Refuses anything but the verb."""
        if field.data != VERB:
            raise ValidationError(f"Type {VERB} to void everything. Nothing was changed.")
