"""What an import would change."""

from portal.core.template_file import TemplateFile
from portal.core.template_plan import Kind, plan

PRESENT = {"en": "E {code}", "ja": "J {code}", "de": "D {code}"}
WANTED = TemplateFile("fr", (("ja", "J {code}"), ("de", "Neu {code}"), ("pt", "P {code}")))


def kinds(
    present: dict[str, str], wanted: TemplateFile, remove_missing: bool, **more: object
) -> dict[str, str]:
    return {change.locale: change.kind.value for change in plan(present, wanted, remove_missing, **more)}


def test_it_tells_what_is_added_changed_and_left_as_it_is() -> None:
    assert kinds(PRESENT, WANTED, False) == {"de": "change", "en": "same", "ja": "same", "pt": "add"}


def test_each_change_has_the_text_before_and_after() -> None:
    changes = {change.locale: (change.old, change.new) for change in plan(PRESENT, WANTED, True, keep=())}
    assert changes == {
        "de": ("D {code}", "Neu {code}"),
        "en": ("E {code}", None),
        "ja": ("J {code}", "J {code}"),
        "pt": (None, "P {code}"),
    }


def test_what_the_file_lacks_goes_only_when_that_is_wanted() -> None:
    present = PRESENT | {"it": "I {code}"}
    assert kinds(present, WANTED, False)["it"] == "same"
    assert kinds(present, WANTED, True)["it"] == "remove"


def test_the_last_resort_and_the_default_never_go() -> None:
    present = PRESENT | {"fr": "F {code}", "it": "I {code}"}
    empty = TemplateFile(None, ())
    assert kinds(present, empty, True) == dict.fromkeys(present, "remove") | {"en": "same"}
    assert kinds(present, WANTED, True)["fr"] == "same"
    assert kinds(present, empty, True, keep={"en", "it"})["it"] == "same"


def test_changes_come_by_locale() -> None:
    assert [change.locale for change in plan(PRESENT, WANTED, True)] == ["de", "en", "ja", "pt"]


def test_every_kind_has_its_sentence() -> None:
    assert all(kind.sentence.endswith(".") for kind in Kind)
