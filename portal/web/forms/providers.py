"""How is a carrier set up? A form made from its kind's fields; secrets go in and are never shown again."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, cast

from flask import request
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    HiddenField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms import (
    Field as FormField,
)
from wtforms.validators import ValidationError

from portal.core.provider_kinds import ProviderKind
from portal.delivery.providers import installed
from portal.delivery.providers.base import Field, WrongField
from portal.services.provider_details import Wanted
from portal.services.providers import LONGEST_LABEL
from portal.web.forms import provider_hints, provider_parts, secrets
from portal.web.forms.provider_parts import Part, Row

_OWN, _FORGET = "carrier_", "forget_"
TYPE_AGAIN: Final = "Type this again: a secret is not sent back to your browser."
# Whoever changes one of these says where the secrets are sent to.
_ADDRESSES: Final = frozenset({"address", "url", "check_url", "host", "port"})


class _UnshownTextArea(TextAreaField):
    """A secret of several lines, which no page repeats."""

    def _value(self) -> str:
        return ""


class ProviderForm(FlaskForm):
    """Name and settings of a provider. Make one with `form_of`, which adds the fields of its kind."""

    kind: ClassVar[ProviderKind]
    fields: ClassVar[tuple[Field, ...]] = ()
    # The secrets that are stored already, each with its last four where they may be shown.
    stored: ClassVar[Mapping[str, str | None]] = {}

    label = StringField(
        "Name",
        description="For you and the other owners, such as Twilio Japan.",
        render_kw={"maxlength": LONGEST_LABEL, "autocomplete": "off", "dir": "auto"},
    )
    seen = HiddenField()

    def parts(self, *, reads_receipts: bool = False) -> list[Part]:
        """Its fields under their headings, a secret with the box that takes a stored one away.

        `reads_receipts` where the page says that something is wrong with how receipts are read.
        """
        found = provider_parts.under(self.kind, self.fields)
        return [
            provider_parts.part(
                heading,
                [(each, self._row(each)) for each in fields],
                self.stored,
                is_asked_for=reads_receipts and heading is provider_parts.READING,
            )
            for heading, fields in found.items()
        ]

    def _row(self, each: Field) -> Row:
        return Row(self[_name(each)], self._fields.get(_FORGET + each.name))

    @property
    def wanted(self) -> Wanted:
        """What was typed, tidied. Needs a valid form."""
        typed = {each.name: installed.checked(each, _text(self, each)) for each in self._asked()}
        secret = {each.name for each in self.fields if each.is_secret}
        return Wanted(
            label=self.label.data or "",
            settings={name: text for name, text in typed.items() if text and name not in secret},
            secrets={name: text for name, text in typed.items() if text and name in secret},
            forgotten=self.forgotten,
            bound_to=_ADDRESSES,
            unshown=frozenset(each.name for each in self.fields if each.is_long),
        )

    def refuse(self, name: str, fix: str) -> None:
        """Shows a refusal beside the field that it is about, or at the top when it is about none."""
        for known in (name, _OWN + name, secrets.PREFIX + name):
            if known in self:
                self[known].errors = [*self[known].errors, fix]
                return
        self.form_errors.append(fix)

    def refuse_the_rest(self, wrong: Mapping[str, str]) -> None:
        """Shows what else is wrong, at the fields that nothing was said about yet."""
        for each in self.fields:
            if each.name in wrong and not self[_name(each)].errors:
                self[_name(each)].errors = [wrong[each.name]]

    @property
    def typed(self) -> dict[str, str]:
        """What was typed, as it came, by the names of the kind; a stored secret left empty is left out."""
        return {each.name: _text(self, each) for each in self._asked()}

    def ask_for_secrets_again(self) -> None:
        """Says at each secret that was typed that it did not arrive, since the form goes back without it."""
        for each in (self[_name(field)] for field in self.fields if field.is_secret):
            if each.data and not each.errors:
                each.errors = [TYPE_AGAIN]

    def _asked(self) -> list[Field]:
        """The fields that count: a stored secret which was left empty stays as it is."""
        return [each for each in self.fields if _text(self, each).strip() or each.name not in self.stored]

    @property
    def forgotten(self) -> frozenset[str]:
        """The stored secrets that are taken away, with nothing in their place."""
        boxes = {each.name: self._fields.get(_FORGET + each.name) for each in self.fields}
        ticked = [each for each in self.fields if (box := boxes[each.name]) is not None and box.data]
        return frozenset(each.name for each in ticked if not _text(self, each).strip())


def form_of(kind: ProviderKind, stored: Mapping[str, str | None] | None = None) -> type[ProviderForm]:
    """The form of one kind of provider; `stored` are the secrets that it has, with their last four."""
    fields, stored = installed.fields_of(kind), stored or {}
    made: dict[str, Any] = {"kind": kind, "fields": fields, "stored": stored}
    for each in fields:
        made[_name(each)] = _made(kind, each, stored)
        if each.is_secret and not each.is_required and each.name in stored:
            made[_FORGET + each.name] = BooleanField(f"Take {each.label} away")
    return cast(type[ProviderForm], type(ProviderForm.__name__, (ProviderForm,), made))


def written(settings: Mapping[str, str]) -> dict[str, str]:
    """Stored settings as the fields of the form show them."""
    return {_OWN + name: text for name, text in settings.items()}


def _made(kind: ProviderKind, each: Field, stored: Mapping[str, str | None]) -> FormField:
    hint = provider_hints.of(kind, each.name) or _hint(each, stored)
    said: dict[str, Any] = {"description": hint, "validators": [_rule(each, stored)]}
    if each.choices:
        return SelectField(
            each.label, choices=[(choice, choice) for choice in each.choices], default=each.default, **said
        )
    return _kind_of(each)(each.label, default=each.default, render_kw=_KEYBOARD | _more(each), **said)


def _kind_of(each: Field) -> type[StringField]:
    if each.is_secret:
        return _UnshownTextArea if each.is_long else PasswordField
    return TextAreaField if each.is_long else StringField


_KEYBOARD: Final = {"autocapitalize": "none", "spellcheck": "false", "dir": "ltr"}


def _more(each: Field) -> dict[str, str]:
    # What begins as one line seldom grows long.
    lines = "3" if each.default and "\n" not in each.default else "5"
    rows = {"rows": lines} if each.is_long else {}
    # Browsers fill no stored password into a field for a new one.
    return rows | {"autocomplete": "new-password" if each.is_secret else "off"}


def _hint(each: Field, stored: Mapping[str, str | None]) -> str:
    if each.name not in stored:
        return each.help if each.is_required else f"{each.help} You may leave this empty.".strip()
    last = stored[each.name]
    kept = f"Stored, last four {last}." if last else "Stored."
    return f"{each.help} {kept} Leave this empty to keep it.".strip()


def _rule(each: Field, stored: Mapping[str, str | None]) -> Any:
    def check(_form: FlaskForm, field: FormField) -> None:
        typed = field.data or ""
        if not typed.strip() and field.name in request.form.getlist(secrets.AGAIN):
            raise ValidationError(TYPE_AGAIN)
        if not typed.strip() and each.name in stored:
            return
        try:
            installed.checked(each, typed)
        except WrongField as wrong:
            raise ValidationError(wrong.fix) from wrong

    return check


def _name(each: Field) -> str:
    return (secrets.PREFIX if each.is_secret else _OWN) + each.name


def _text(form: ProviderForm, each: Field) -> str:
    return str(form[_name(each)].data or "")


def kinds() -> Sequence[ProviderKind]:
    """The kinds that can be added here."""
    return [kind for kind in ProviderKind if kind in installed.CARRIERS]
