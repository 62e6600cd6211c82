"""Where in a text that is being written is something wrong, and what does it look like put right?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.core.placeholders import Problem, problems


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a body, and the place in the list of problems of what is wrong with it; None: nothing."""

    text: str
    problem: int | None = None


def stretches(body: str, found: Sequence[Problem]) -> Iterator[Stretch]:
    """A body (line ends `\\n`) in pieces, which joined are the body. Where two overlap, the first counts."""
    at = 0
    for place, problem in enumerate(found):
        if problem.at < at or problem.end == problem.at:
            continue
        yield from _plain(body[at : problem.at])
        yield Stretch(body[problem.at : problem.end], place)
        at = problem.end
    yield from _plain(body[at:])


def mended(body: str, place: int) -> str:
    """The body with the problem at `place` of its list put right; as it is when nothing can be swapped in."""
    text = body.replace("\r\n", "\n")
    found = problems(text)
    if not 0 <= place < len(found) or found[place].swap is None:
        return text
    problem = found[place]
    return text[: problem.at] + (problem.swap or "") + text[problem.end :]


def _plain(text: str) -> Iterator[Stretch]:
    if text:
        yield Stretch(text)
