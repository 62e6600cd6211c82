"""Does a confirmation's form notice what changed since, without carrying a number?"""

from dataclasses import replace

import pytest

from portal.core.deed_stamps import stamp, what_changed
from tests.core.test_deeds import CHANGING, DISABLED, NEW, NOBODY, OFFERED, SECOND, VERIFIED

THIRD = "+819011112222"


def test_a_stamp_holds_no_number_and_nothing_that_tells_its_hidden_digits():
    like_it = replace(VERIFIED, number="+819000005678")

    assert "1234" not in stamp(VERIFIED)
    assert stamp(like_it) == stamp(VERIFIED)


def test_nothing_changed_while_nothing_did():
    assert [what_changed(stamp(facts), facts) for facts, _ in OFFERED] == [None] * len(OFFERED)


@pytest.mark.parametrize(
    ("then", "now", "sentence"),
    [
        (CHANGING, replace(VERIFIED, number=SECOND, verified_at=9), "The pending number was verified"),
        (NEW, replace(NEW, is_verified=True, verified_at=9), "The number was verified meanwhile."),
        (NEW, NOBODY, "The number was taken from this user meanwhile."),
        (VERIFIED, replace(VERIFIED, number=THIRD), "The number in force is another one"),
        (CHANGING, VERIFIED, "The pending change has ended meanwhile."),
        (CHANGING, replace(CHANGING, pending=THIRD), "another change of number was started"),
        (CHANGING, replace(CHANGING, pending_since=8), "another change of number was started"),
        (VERIFIED, CHANGING, "another change of number was started"),
        (NEW, DISABLED, "This user was disabled meanwhile."),
        (DISABLED, NEW, "This user was enabled meanwhile."),
        (NEW, replace(NEW, holder_id="bob"), "Another user holds the number by now."),
        (replace(NEW, holder_id="bob"), NEW, "Nobody else holds the number any more."),
    ],
)
def test_what_changed_is_said_in_a_sentence(then, now, sentence):
    said = what_changed(stamp(then), now)

    assert sentence in said
    assert said.endswith("Nothing was done. Look again, then decide.")


@pytest.mark.parametrize("odd", ["", "x", "a.b.c", "." * 40, "%00", "1.2.3.4.5.6"])
def test_a_stamp_that_is_none_counts_as_changed(odd):
    assert "Nothing was done" in what_changed(odd, NEW)
