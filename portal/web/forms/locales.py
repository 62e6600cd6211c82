"""Which language is meant? The search for a new one, and the tag that the simulator is given."""

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, ValidationError

from portal.core import locales


def _stripped(text: str | None) -> str | None:
    return text.strip() if text else text


class _Search(FlaskForm):
    """It changes nothing, so it is sent by GET and needs no token."""

    class Meta:
        """A search, not a change."""

        csrf = False


class LanguageForm(_Search):
    """The language of a new SMS template, as far as it is typed."""

    locale = StringField(
        "Language",
        filters=[_stripped],
        validators=[DataRequired("Write a name such as Korean, or a tag such as ko.")],
        description="Its name in English or in itself, or a tag such as ja, pt-BR or zh-Hans.",
    )


class SimulatorForm(_Search):
    """The tag that a phone sends."""

    locale = StringField(
        "Language tag",
        filters=[_stripped],
        validators=[DataRequired("Write a language tag such as zh-Hans-HK.")],
        description="As a phone sends it, such as zh-Hans-HK or pt-BR.",
    )

    def validate_locale(self, field: StringField) -> None:
        """Refuses what is no language tag, and brings the rest into its usual casing."""
        try:
            field.data = locales.normalise(field.data or "")
        except locales.LocaleError as error:
            raise ValidationError(str(error)) from error
