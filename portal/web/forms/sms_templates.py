"""Which language is added, and what does the SMS say in it?"""

from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, ValidationError

from portal.core import locales


class LanguageForm(FlaskForm):
    """The language of a new SMS template. It changes nothing, so it is sent by GET and needs no token."""

    class Meta:
        """A search, not a change."""

        csrf = False

    locale = StringField(
        "Language tag",
        filters=[lambda text: text.strip() if text else text],
        validators=[DataRequired("Write a language tag such as ja, pt-BR or zh-Hans.")],
        description="A tag such as ja, pt-BR or zh-Hans. Users get the closest one you have.",
    )

    def validate_locale(self, field: StringField) -> None:
        """Refuses what is no language tag, and brings the rest into its usual casing."""
        try:
            field.data = locales.normalise(field.data or "")
        except locales.LocaleError as error:
            raise ValidationError(str(error)) from error


class WordingForm(FlaskForm):
    """The text of an SMS template. Its rules live in core/placeholders.py; this form only carries it."""

    # Browsers send CRLF; the text is kept as typed otherwise, spaces at its ends included.
    body = TextAreaField("Text", filters=[lambda text: text.replace("\r\n", "\n") if text else text])
