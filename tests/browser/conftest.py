"""What does every browser test have? Chromium, the app on a port, and a shop with a life behind it."""

import pytest

from tests.browser.chromium import browser_type_launch_args, context, page, scripts, watch
from tests.browser.lives import (
    audit_full,
    carriers,
    crowd,
    fail_one,
    one_look_up,
    phone_full,
    set_one_aside,
    town,
)
from tests.browser.sites import alices, kii, sign_in, site

__all__ = [
    "alices",
    "audit_full",
    "browser_type_launch_args",
    "carriers",
    "context",
    "crowd",
    "fail_one",
    "kii",
    "one_look_up",
    "page",
    "phone_full",
    "scripts",
    "set_one_aside",
    "sign_in",
    "site",
    "town",
    "watch",
]


@pytest.fixture
def database() -> str:
    """What a browser shows does not hang on the database; the journeys are made on both."""
    return "sqlite"
