"""A browser is told by its usual name, and its own long text is never repeated."""

import pytest

from portal.core.device_names import words

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("user_agent", "said"),
    [
        (CHROME, "Chrome on Linux"),
        (
            f"{CHROME} Edg/140.0.0.0".replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64"),
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15",
            "Safari on a Mac",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("", "A browser"),
        ('<script>"</script>', "A browser"),
    ],
)
def test_a_browser_and_its_machine_are_named(user_agent, said):
    assert words(user_agent) == said
