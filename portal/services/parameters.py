"""Which configuration parameters does an app have, by the names that Kii clients know? (contract d.2)"""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.errors import BadInput, NotFound, NotSupported
from portal.models import App
from portal.services import app_changes, apps
from portal.services.apps import AppChanges
from portal.services.context import Context


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One parameter that means something here: the setting behind it and its default."""

    setting: str
    default: bool | int


_LIVE = {
    "phoneNumberVerificationRequired": _Parameter("phone_number_verification_required", False),
    "exposeFullUserDataToOthers": _Parameter("expose_full_user_data_to_others", False),
    "refreshTokenEnabled": _Parameter("refresh_token_enabled", False),
    "defaultTokenExpirationSeconds": _Parameter("default_token_life_s", app_changes.LONGEST_TOKEN_LIFE_S),
    "maxTokenExpirationSeconds": _Parameter("max_token_life_s", app_changes.LONGEST_TOKEN_LIFE_S),
}
# Kii knows these; Ringback shows how it behaves and refuses to pretend that they can be changed.
_FIXED: dict[str, bool | int | str] = {
    "emailAddressVerificationRequired": False,
    "reservedFieldsValidation": True,
    "passwordResetMethod": "GENERATE_PASSWORD",
}


def read_all(ctx: Context) -> dict[str, bool | int | str]:
    """Every parameter with its value, real booleans and numbers."""
    app = ctx.session.get_one(App, ctx.app_id)
    return {name: getattr(app, each.setting) for name, each in _LIVE.items()} | _FIXED


def write(ctx: Context, values: Mapping[str, object]) -> None:
    """Sets parameters; a text such as `true` or `3600` is read as the value that it spells.

    Raises NotFound for an unknown name, NotSupported for one that is fixed, BadInput for a wrong value.
    """
    changes: dict[str, object] = {}
    for name, value in values.items():
        if name in _FIXED and _read(name, value, _FIXED[name]) == _FIXED[name]:
            continue
        parameter = _live(name)
        changes[parameter.setting] = _read(name, value, parameter.default)
    try:
        apps.change(ctx, AppChanges(**changes))  # type: ignore[arg-type]
    except BadInput as refusal:
        # Kii's clients know the parameter, not the setting behind it.
        name = next((name for name, each in _LIVE.items() if each.setting == refusal.field), refusal.field)
        raise BadInput(name, refusal.message) from refusal


def reset(ctx: Context, name: str) -> None:
    """Sets one parameter back to its default. Raises NotFound."""
    if name in _FIXED:
        return
    write(ctx, {name: _live(name).default})


def _live(name: str) -> _Parameter:
    if name in _FIXED:
        raise NotSupported(f"{name} cannot be changed in Ringback.")
    if name not in _LIVE:
        raise NotFound("parameter", f"There is no parameter {name}.")
    return _LIVE[name]


def _read(name: str, value: object, like: bool | int | str) -> bool | int | str:
    if isinstance(like, bool):
        spelled = {"true": True, "false": False}.get(str(value).strip().lower())
        if spelled is None or not isinstance(value, bool | str):
            raise BadInput(name, f"{name} must be true or false.")
        return spelled
    if isinstance(like, str):
        return str(value)
    text = str(value).strip()
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise BadInput(name, f"{name} must be a whole number.")
    return int(text)
