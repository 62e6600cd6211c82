"""What does an SMS say? The one place where a wording, its values and a code become a text."""

from collections.abc import Mapping

from portal.core import placeholders


def render(body: str, values: Mapping[str, str], code: str | None) -> str:
    """The text of one SMS: `body` with its placeholders filled, `code` for the message's own code.

    The dispatch, the sandbox inbox and the preview all call this, so what an owner saw is what is sent.
    Raises placeholders.WordingError when `body` breaks the rules of a verification wording.
    """
    if code is None:
        return placeholders.fill_leniently(body, values)
    return placeholders.parse(body).fill({**values, "code": code})
