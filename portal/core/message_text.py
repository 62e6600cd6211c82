"""What does an SMS say? The one place where a wording, its values and a code become a text."""

from collections.abc import Mapping

from portal.core import placeholders
from portal.core.autofill import Autofill

_WEB_DOMAIN, _ANDROID_HASH = "web_domain", "android_hash"


def values_for(app_name: str, code_life_s: int, autofill: Autofill) -> dict[str, str]:
    """What a message keeps beside its wording until it is sent, but for its code. `code_life_s` in s."""
    values = {"app_name": app_name, "minutes": str(code_life_s // 60)}
    lines = {_WEB_DOMAIN: autofill.web_domain, _ANDROID_HASH: autofill.android_hash}
    return values | {name: line for name, line in lines.items() if line is not None}


def render(body: str, values: Mapping[str, str], code: str | None) -> str:
    """The text of one SMS: `body` with its placeholders filled, `code` for the message's own code.

    After it come the lines for autofill that `values` names; a notice has no code and so none of them. The
    dispatch, the sandbox inbox and the preview all call this, so what an owner saw is what is sent. Never
    refuses a body: a saved one kept the rules of its day, and one that is being written is only looked at.
    Raises KeyError when `values` lacks what the body asks for.
    """
    if code is None:
        return placeholders.fill(body, values)
    filled = placeholders.fill(body, {**values, "code": code})
    autofill = Autofill(web_domain=values.get(_WEB_DOMAIN), android_hash=values.get(_ANDROID_HASH))
    return autofill.append(filled, code)
