"""Which browser on which machine is this? A User-Agent in words, for the list of one's sign-ins."""

from typing import Final

# The first that is named counts: later ones name the earlier, to be taken for them.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi", "Vivaldi"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("python", "A program in Python"),
)
_MACHINES: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("Linux", "Linux"),
)


def words(user_agent: str) -> str:
    """ "Firefox on Windows"; of a User-Agent that tells nothing, "A browser". Never the text itself."""
    browser = next((word for sign, word in _BROWSERS if sign in user_agent), "A browser")
    machine = next((word for sign, word in _MACHINES if sign in user_agent), "")
    return f"{browser} on {machine}" if machine else browser
