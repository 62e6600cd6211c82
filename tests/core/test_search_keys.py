"""A display name is found by its first word and by its last, however it is capitalised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.search_keys import LONGEST, folded, of_name


@pytest.mark.parametrize(
    ("name", "key", "turned"),
    [
        ("Yuki Tanaka", "yuki tanaka", "tanaka yuki"),
        ("  Ana  María   da Silva ", "ana maría da silva", "silva ana maría da"),
        ("ＡＬＩＣＥ", "alice", None),
        ("田中 花子", "田中 花子", "花子 田中"),
        ("Straße", "strasse", None),
        ("İstanbul", "i̇stanbul", None),
        ("", None, None),
        ("   ", None, None),
        (None, None, None),
    ],
)
def test_a_name_has_a_key_from_its_first_word_and_one_from_its_last(name, key, turned):
    assert of_name(name) == (key, turned)


@given(st.text(max_size=50))
def test_every_name_has_keys_that_fit_their_columns(name):
    assert all(each is None or 0 < len(each) <= LONGEST for each in of_name(name))
    assert folded(folded(name)) == folded(name) or len(folded(name)) == LONGEST
