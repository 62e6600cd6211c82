"""Does a kept hash of a number tell nothing, in which table ever it stands? (PII-06)"""

import hashlib
import hmac

import pytest

from portal import keys
from portal.core import number_hashes
from portal.core.number_hashes import Use

KEY = b"k" * 32
NUMBER = "+819012345678"


@pytest.fixture
def server_keys(tmp_path) -> keys.Keys:
    return keys.load(tmp_path)


def test_pii_06_a_number_is_kept_as_a_keyed_hash_that_differs_in_each_app():
    hidden = number_hashes.number_hash(KEY, "app", NUMBER)

    assert hidden == hmac.new(KEY, b"app:" + NUMBER.encode(), hashlib.sha256).hexdigest()
    assert hidden not in {
        number_hashes.number_hash(b"x" * 32, "app", NUMBER),
        number_hashes.number_hash(KEY, "other", NUMBER),
    }


def test_pii_06_each_use_has_a_key_of_its_own():
    assert len({number_hashes.key_for(use, KEY) for use in Use} | {KEY}) == len(Use) + 1


def test_pii_06_a_hash_of_an_erased_number_says_which_key_it_needs(server_keys, tmp_path):
    old = number_hashes.erasure_hash(server_keys, "app", NUMBER)
    keys.add_key(tmp_path, "hashing")
    new = number_hashes.erasure_hash(server_keys, "app", NUMBER)
    known = number_hashes.erasure_keys(server_keys)

    assert [number_hashes.version_of(each) for each in (old, new, "ab" * 32)] == [1, 2, 0]
    assert sorted(known) == [0, 1, 2]
    assert number_hashes.hidden_by(known, 1, "app", NUMBER) == old
    assert number_hashes.hidden_by(known, 2, "app", NUMBER) == new
    assert ":" not in number_hashes.hidden_by(known, 0, "app", NUMBER)


def test_pii_06_limits_know_a_number_by_each_version_the_oldest_first(server_keys, tmp_path):
    keys.add_key(tmp_path, "hashing")
    found = number_hashes.limit_hashes(server_keys, "app", NUMBER)

    assert [version for version, _hash in found] == [1, 2]
    assert len({hidden for _version, hidden in found}) == 2
