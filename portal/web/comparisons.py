"""What changes from one wording to another, for the eye? The words, and what an SMS costs."""

from dataclasses import dataclass

from portal.core import word_diff
from portal.core.segments import Segments
from portal.core.word_diff import Span
from portal.models import App
from portal.web import previews


@dataclass(frozen=True, slots=True)
class Side:
    """One of two wordings: its words, and how the network cuts it with sample values."""

    spans: list[Span]
    cut: Segments


@dataclass(frozen=True, slots=True)
class Length:
    """How many segments an SMS takes, and took before (None: there was none). `encoding` where it is new."""

    before: int | None
    after: int
    encoding: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two wordings side by side; None where there is none."""

    old: Side | None
    new: Side | None

    @property
    def length(self) -> Length | None:
        """The change of length; None where the wording goes."""
        before = self.old.cut if self.old else None
        return length(before, self.new.cut) if self.new else None


def of(app: App, old: str | None, new: str | None) -> Comparison:
    """Two wordings of an app, word by word. Where one is missing, no word of the other counts as changed."""
    if old is None or new is None:
        return Comparison(_alone(app, old), _alone(app, new))
    compared = word_diff.compare(old, new)
    return Comparison(Side(compared.old, cut(app, old)), Side(compared.new, cut(app, new)))


def cut(app: App, body: str) -> Segments:
    """How the network cuts a wording with the app's sample values."""
    return previews.of(app, body).cut


def length(before: Segments | None, after: Segments) -> Length:
    """How the length of an SMS changes from one wording to the next."""
    is_new = before is not None and before.encoding != after.encoding
    return Length(before.count if before else None, after.count, after.encoding if is_new else None)


def _alone(app: App, body: str | None) -> Side | None:
    return None if body is None else Side([Span(body, changed=False)], cut(app, body))
