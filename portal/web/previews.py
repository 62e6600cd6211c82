"""What would a phone show for this wording, and what is wrong with it?"""

from dataclasses import dataclass

from portal.core import gsm7, message_text, placeholders, segments
from portal.models import App

SAMPLE_DIGITS = "4829137506"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a phone would show: the text cut as the network cuts it, and what is wrong with the wording."""

    cut: segments.Segments
    problems: list[placeholders.Problem]
    swaps: dict[str, str]

    @property
    def room(self) -> int:
        """How much the segments of the text hold together."""
        return self.cut.limit * self.cut.count


def of(app: App, body: str) -> Preview:
    """The phone for a wording, saved or not, with sample values and every problem it has."""
    code = SAMPLE_DIGITS[: app.code_length]
    values = {"app_name": app.name, "minutes": str(app.code_life_s // 60)}
    problems = placeholders.problems(body)
    if problems:
        # A text of any length may come in; what is over the limit is not worth showing.
        text = placeholders.fill_leniently(body[: placeholders.LONGEST_BODY], {**values, "code": code})
    else:
        text = message_text.render(body, values, code)
    cut = segments.segment(text)
    return Preview(cut, problems, {char: gsm7.EQUALS[char] for char in cut.forcing if char in gsm7.EQUALS})
