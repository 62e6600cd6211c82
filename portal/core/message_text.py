"""What does an SMS say? The one place where a wording, its values and a code become a text."""

from collections.abc import Mapping
from typing import Final

from portal.core import placeholders
from portal.core.autofill import Autofill

_NOTHING_ON: Final = Autofill()


def render(body: str, values: Mapping[str, str], code: str | None, autofill: Autofill = _NOTHING_ON) -> str:
    """The text of one SMS: `body` with its placeholders filled, `code` for the message's own code.

    The lines that `autofill` switches on come after it; a notice has no code and so none of them.
    The dispatch, the sandbox inbox and the preview all call this, so what an owner saw is what is sent.
    Raises placeholders.WordingError when `body` breaks the rules of a verification wording.
    """
    if code is None:
        return placeholders.fill_leniently(body, values)
    return autofill.append(placeholders.parse(body).fill({**values, "code": code}), code)
