"""Credentials are sealed together for one provider, and show no more than their last four."""

import pytest

from portal.core import credentials
from portal.core.sealing import BrokenSeal, about_provider, seal

KEYS = {1: bytes(32)}


@pytest.mark.parametrize("secrets", [{"password": "пароль-🎉"}, {"a": "1", "b": "two\nlines"}, {}])
def test_what_is_closed_opens_for_its_own_provider_only(secrets):
    version, sealed = credentials.close(KEYS, "app", "one", secrets)

    assert credentials.open_up(KEYS, "app", "one", version, sealed) == secrets
    for app, provider in (("app", "two"), ("other", "one")):
        with pytest.raises(BrokenSeal):
            credentials.open_up(KEYS, app, provider, version, sealed)


def test_nothing_sealed_is_no_secret():
    assert credentials.open_up(KEYS, "app", "one", None, None) == {}


@pytest.mark.parametrize("plain", [b"no json", b"[1]", b"\xff", b'"text"'])
def test_what_is_no_list_of_secrets_is_a_broken_seal(plain):
    version, sealed = seal(KEYS, plain, about_provider("app", "one"))
    with pytest.raises(BrokenSeal):
        credentials.open_up(KEYS, "app", "one", version, sealed)


@pytest.mark.parametrize(("secret", "shown"), [("0123456789ab", "89ab"), ("0123456789a", None), ("", None)])
def test_only_a_long_secret_shows_its_end(secret, shown):
    assert credentials.last_four(secret) == shown
