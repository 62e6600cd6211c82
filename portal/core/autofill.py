"""Which lines let a phone fill the code in by itself?

Sources: WICG, "Origin-bound one-time codes delivered via SMS", section 3 (the last line and how it is read);
Google, "SMS Retriever API", verification on a server (the hash of an app and the 140 bytes).
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import idna

RETRIEVER_BYTES: Final = 140
LONGEST_DOMAIN: Final = 253

_ANDROID_HASH: Final = re.compile(r"[A-Za-z0-9+/]{11}")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# No ending of the web starts with a digit, so this refuses what a browser would read as an IP address too.
_HOST: Final = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z]){_LABEL}")
_DOMAIN_REFUSALS: Final = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"^$", "Write the host name of your web site, such as login.example.com."),
        (r"\s", "Take the space out of the host name."),
        (r"^[a-z][a-z0-9+.-]*://|^//", "Leave out the https:// and write the host name only."),
        (r"@", "Leave out the @ and what stands before it."),
        (r"[/?#\\]", "Leave out the path and write the host name only."),
        (r"^\[|:.*:|(?:^|\.)(?:\d+|0x[0-9a-f]*)(?::|\.?$)", "Write a host name instead of an IP address."),
        (r":", "Leave out the colon and the port."),
        (r"^\.|\.\.", "Take out the dot that has no name before it."),
        (r"\.$", "Take off the dot at the end."),
        (r"(?:^|\.)localhost$", "Write a host name that phones can reach, not localhost."),
        (r"^[^.]+$", "Write the whole host name with its ending, such as example.com."),
    )
)


class DomainError(ValueError):
    """What was given is no bare host name; the message says how to put it right."""


def normalise_domain(domain: str) -> str:
    """A bare host name as it goes into an SMS: lower case, foreign letters in punycode.

    Raises DomainError for whatever else an address may have (scheme, port, path, user), for IP addresses, and
    for names that a phone cannot reach.
    """
    host = _folded(domain)
    for pattern, sentence in _DOMAIN_REFUSALS:
        if pattern.search(host):
            raise DomainError(sentence)
    encoded = ".".join(_in_punycode(label) for label in host.split("."))
    if len(encoded) > LONGEST_DOMAIN:
        raise DomainError(f"Shorten the host name to {LONGEST_DOMAIN} characters.")
    if not _HOST.fullmatch(encoded):
        raise DomainError("Write only letters, digits and inner hyphens between the dots, 63 at most.")
    return encoded


def domain_problem(domain: str) -> str | None:
    """What to change in a domain before it may stand in an SMS, or None."""
    try:
        normalise_domain(domain)
    except DomainError as error:
        return str(error)
    return None


def android_hash_problem(text: str) -> str | None:
    """What to change in the hash of an Android app, or None. Case counts in it."""
    if _ANDROID_HASH.fullmatch(text):
        return None
    return "Write the 11 characters of the app's hash: letters, digits, + and / only."


def too_long_for_retriever(text: str) -> bool:
    """Whether Android's SMS Retriever passes this whole text over, for having more than 140 bytes."""
    return len(text.encode("utf-8", "surrogatepass")) > RETRIEVER_BYTES


@dataclass(frozen=True, slots=True)
class Autofill:
    """What an app has switched on. Raises ValueError for a domain or hash that was not checked before."""

    web_domain: str | None = None
    android_hash: str | None = None

    def __post_init__(self) -> None:
        """Refuses what would not be read back, so that no caller can send a line that does nothing."""
        if self.web_domain is not None and self.web_domain != normalise_domain(self.web_domain):
            raise DomainError("Normalise the domain before it is used.")
        if self.android_hash is not None and android_hash_problem(self.android_hash):
            raise ValueError(android_hash_problem(self.android_hash))

    def append(self, text: str, code: str) -> str:
        """The text with the lines that are switched on after a blank line; without any, the text as it is."""
        hash_line = [self.android_hash] if self.android_hash else []
        # A browser reads nothing but the last line, so this one always comes at the very end (TPL-04).
        web_line = [f"@{self.web_domain} #{code}"] if self.web_domain else []
        lines = [*hash_line, *web_line]
        return "\n".join([text, "", *lines]) if lines else text


def _folded(domain: str) -> str:
    """The text with every full-width letter and ideographic dot made plain, in lower case."""
    trimmed = domain.strip()
    if len(trimmed) > LONGEST_DOMAIN:
        raise DomainError(f"Shorten the host name to {LONGEST_DOMAIN} characters.")
    return unicodedata.normalize("NFKC", trimmed).replace("。", ".").lower()


def _in_punycode(label: str) -> str:
    # Plain labels go round the codec: it refuses two hyphens in the third place, which real hosts have.
    if label.isascii() and not label.startswith("xn--"):
        return label
    try:
        return idna.encode(label, uts46=True).decode("ascii")
    except UnicodeError as error:
        raise DomainError("Take the characters out that no host name may have.") from error
