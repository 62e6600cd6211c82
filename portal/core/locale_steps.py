"""By which steps is an SMS template found for a language, and where does the search end?

The simulator shows them; `locales.choose` decides. Both walk along `locales.chain`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from portal.core import locales
from portal.core.closed_list import ClosedList


class Why(ClosedList):
    """Why a tag is tried."""

    WANTED = "wanted", "The language that the user asks for."
    SHORTER = "shorter", "The same language with less detail."
    LIKELY_SCRIPT = "likely_script", "The same language, with the script that its readers usually read."
    DEFAULT = "default", "The app's default language, or a broader form of it."
    LAST_RESORT = "last_resort", "English, which every app has."


class Outcome(ClosedList):
    """What a try comes to."""

    NO_TEMPLATE = "no_template", "There is no SMS template in it."
    WINS = "wins", "Its SMS template is sent."


@dataclass(frozen=True, slots=True)
class Step:
    """One try. `tag` is in the casing of BCP 47; the winner's is spelled as the template's own."""

    tag: str
    why: Why
    outcome: Outcome


def steps(wanted: str | None, available: Collection[str], default: str) -> list[Step]:
    """Every try up to the winner, which stands last; `wanted` is None for a user without a language.

    Raises LocaleError when `wanted` is no tag, and LookupError as `locales.choose` does. A `default` that is
    no tag is passed over.
    """
    asked = "" if wanted is None else locales.normalise(wanted)
    winner = locales.choose(asked, available, default)
    tried: list[Step] = []
    for tag in locales.chain(asked, default):
        why = _why(tag, asked, default)
        if tag.lower() == winner.replace("_", "-").lower():
            return [*tried, Step(winner, why, Outcome.WINS)]
        tried.append(Step(tag, why, Outcome.NO_TEMPLATE))
    raise LookupError("The winner stands in the chain.")


def _why(tag: str, asked: str, default: str) -> Why:
    if tag == asked:
        return Why.WANTED
    if tag in locales.own_chain(asked):
        return Why.SHORTER if asked.startswith(f"{tag}-") else Why.LIKELY_SCRIPT
    return Why.DEFAULT if tag in locales.own_chain(default) else Why.LAST_RESORT
