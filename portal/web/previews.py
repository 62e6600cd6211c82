"""What would a phone show for this wording, what would it cost, and what is wrong with it?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from portal.core import code, gsm7, message_text, placeholders, prices, segments, wording_marks
from portal.core.autofill import too_long_for_retriever
from portal.core.wording_marks import Stretch
from portal.models import App
from portal.services import app_settings


@dataclass(frozen=True, slots=True)
class Samples:
    """What stands in for the values that only sending knows. `minutes` and `code` are digits."""

    app_name: str
    minutes: str
    code: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a thousand SMS to one country cost, in words."""

    country: str
    amount: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a phone would show: the text cut as the network cuts it, and what is wrong with the wording."""

    text: str
    cut: segments.Segments
    problems: list[placeholders.Problem]
    stretches: list[Stretch]
    # What may be swapped for its like in GSM-7; nothing where all of it together would save nothing.
    swaps: dict[str, str]
    # The text as the network would cut it after all those swaps, and once wrong placeholders are put right.
    swapped: segments.Segments
    costs: list[Cost]
    most_segments: int
    is_too_long_for_android: bool

    @property
    def room(self) -> int:
        """How much the segments of the text hold together."""
        return self.cut.limit * self.cut.count


def samples_of(app: App) -> Samples:
    """The samples that a page starts with: the app's own name and time, and a made-up code."""
    return Samples(app.name, str(app.code_life_s // 60), code.FAKE[: app.code_length])


def of(
    app: App, body: str, samples: Samples | None = None, segment_prices: Mapping[str, int] | None = None
) -> Preview:
    """The phone for a wording, saved or not, and every problem it has. Never refuses a body.

    `segment_prices` (millionths by country) are the app's; the home country's cost comes first.
    """
    # A text of any length may come in; what is over the limit is not worth showing.
    written = body.replace("\r\n", "\n")
    shown = written[: placeholders.LONGEST_BODY]
    problems = placeholders.problems(written)
    values = samples or samples_of(app)
    text = rendered(app, shown, values)
    cut, swapped = segments.segment(text), segments.segment(rendered(app, gsm7.plain(shown), values))
    return Preview(
        text=text,
        cut=cut,
        problems=problems,
        stretches=list(wording_marks.stretches(written, problems)),
        swaps=_swaps(shown, cut, swapped),
        swapped=swapped,
        costs=_costs(app, cut.count, segment_prices or {}),
        most_segments=app.most_segments,
        is_too_long_for_android=app.android_autofill and too_long_for_retriever(text),
    )


def rendered(app: App, body: str, samples: Samples) -> str:
    """The text that the provider would get, were the samples the values."""
    values = message_text.values_for(samples.app_name, 0, app_settings.autofill_of(app))
    return message_text.render(body, values | {"minutes": samples.minutes}, samples.code)


def given(app: App, app_name: str, minutes: str, digits: str) -> Samples:
    """The samples that somebody typed; whatever is left empty stays the app's own."""
    usual = samples_of(app)
    typed = {"app_name": app_name[:30], "minutes": minutes[:2], "code": digits[:10]}
    return replace(usual, **{name: text for name, text in typed.items() if text})


def _swaps(shown: str, cut: segments.Segments, swapped: segments.Segments) -> dict[str, str]:
    """What to swap, where the whole text gets fewer segments by it, or more room in as many (TPL-02).

    An emoji that stays, or a name that is no part of the wording, keeps the text in UCS-2 all the same.
    """
    saves = (swapped.count, -swapped.room) < (cut.count, -cut.room)
    if swapped.forcing or not saves:
        return {}
    return {char: gsm7.EQUALS[char] for char in cut.forcing if gsm7.swap_one(shown, char) != shown}


def _costs(app: App, count: int, segment_prices: Mapping[str, int]) -> list[Cost]:
    ordered = sorted(segment_prices, key=lambda country: (country != app.home_country, country))
    return [
        Cost(country, prices.per_thousand(segment_prices[country], count, app.currency))
        for country in ordered
    ]
