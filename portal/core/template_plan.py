"""What would importing a file of SMS templates change?"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from portal.core.closed_list import ClosedList
from portal.core.locales import LAST_RESORT
from portal.core.template_file import TemplateFile


class Kind(ClosedList):
    """What happens to one SMS template."""

    ADD = "add", "It is new."
    CHANGE = "change", "Its text changes."
    SAME = "same", "It stays as it is."
    REMOVE = "remove", "It goes."


@dataclass(frozen=True, slots=True)
class Change:
    """One SMS template before (`old`) and after (`new`); None where there is none."""

    locale: str
    kind: Kind
    old: str | None
    new: str | None


def plan(
    present: Mapping[str, str],
    wanted: TemplateFile,
    remove_missing: bool,
    keep: Collection[str] = (LAST_RESORT,),
) -> list[Change]:
    """Every template that is there or comes, by locale. `present` has bodies by locale, as they are saved.

    With `remove_missing`, what the file lacks goes, except the locales of `keep`: name there the last resort
    and the app's default language, whose templates may not go. The default that the file names stays too.
    """
    coming = dict(wanted.templates)
    staying = {*keep, wanted.default_locale} if remove_missing else present.keys()
    return list(_changes(present, coming, staying))


def _changes(
    present: Mapping[str, str], coming: Mapping[str, str], staying: Collection[str | None]
) -> Iterator[Change]:
    for locale in sorted(present.keys() | coming.keys()):
        old = present.get(locale)
        new = coming.get(locale, old if locale in staying else None)
        yield Change(locale, _kind(old, new), old, new)


def _kind(old: str | None, new: str | None) -> Kind:
    if old is None:
        return Kind.ADD
    if new is None:
        return Kind.REMOVE
    return Kind.SAME if old == new else Kind.CHANGE
