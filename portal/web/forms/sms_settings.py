"""How are an app's SMS filled in, how long may they be, who approves them, and what do they cost?"""

from collections.abc import Iterable
from typing import cast

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import ValidationError

from portal.core import autofill, prices
from portal.web import countries
from portal.web.filters import counted

_PRICE = "price_"


def _stripped(text: str | None) -> str | None:
    return text.strip() if text else text


def _is_price(_form: FlaskForm, field: StringField) -> None:
    try:
        prices.read(field.data or "0")
    except prices.PriceError as error:
        raise ValidationError(str(error)) from error


class SmsSettingsForm(FlaskForm):
    """The settings of an app's SMS. Make one with `with_prices`, which adds a field for each country."""

    web_autofill = BooleanField("Autofill on your web site")
    web_domain = StringField(
        "Domain",
        filters=[_stripped],
        description="The host name of the page that asks for the code, such as login.example.com.",
    )
    android_autofill = BooleanField("Autofill in your Android app")
    android_hash = StringField(
        "Hash of the Android app",
        filters=[_stripped],
        description="11 characters. Google's SMS Retriever tools compute them from your signing key.",
    )
    most_segments = SelectField(
        "Most segments of an SMS",
        choices=[(count, counted(count, "segment")) for count in range(1, 7)],
        coerce=int,
        description="Each is paid for. Six, the ceiling, hold 918 characters in GSM-7 or 402 in UCS-2.",
    )
    sms_templates_need_approval = BooleanField("A second owner approves each change")
    currency = SelectField(
        "Currency",
        choices=lambda: [(code, f"{name} ({code})") for code, name in prices.currencies().items()],
        description="What your carrier charges in.",
    )

    def validate_web_domain(self, field: StringField) -> None:
        """Refuses what no SMS may carry as a domain, beside everything else that is wrong."""
        problem = autofill.domain_problem(field.data) if field.data else None
        if problem:
            raise ValidationError(problem)

    def validate_android_hash(self, field: StringField) -> None:
        """Refuses what is no hash of an Android app."""
        problem = autofill.android_hash_problem(field.data) if field.data else None
        if problem:
            raise ValidationError(problem)

    def price_fields(self) -> list[StringField]:
        """The field of each country, in the order that `with_prices` was given."""
        return [field for name, field in self._fields.items() if name.startswith(_PRICE)]

    def typed_prices(self) -> dict[str, int]:
        """What was typed, in millionths by country; an empty field is no price. Needs a valid form."""
        typed = {field.name.removeprefix(_PRICE): field.data for field in self.price_fields()}
        return {country: prices.read(text) for country, text in typed.items() if text}


def with_prices(priced: Iterable[str]) -> type[SmsSettingsForm]:
    """The form with one price for each of these countries, two letters each."""
    fields = {
        f"{_PRICE}{code}": StringField(
            f"{countries.name(code)} ({code})", filters=[_stripped], validators=[_is_price]
        )
        for code in priced
    }
    return cast(type[SmsSettingsForm], type(SmsSettingsForm.__name__, (SmsSettingsForm,), fields))


def written_prices(millionths: dict[str, int]) -> dict[str, str]:
    """Stored prices as the fields of the form show them."""
    return {f"{_PRICE}{country}": prices.write(price) for country, price in millionths.items()}
