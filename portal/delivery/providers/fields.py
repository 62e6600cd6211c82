"""Which settings do several carriers have? The makers of fields that would read the same in each."""

from typing import Final

from portal.delivery.providers.base import Field

# The rule of WEB-11, said before somebody types an address that it refuses.
WHERE_IT_MAY_STAND: Final = (
    "It begins with https://. Plain http://, or a host in a private network such as kannel:13013, works only "
    + "after your operator named that host in PORTAL_PRIVATE_CARRIERS."
)
_NAME: Final = r"(?=.*[A-Za-z])[A-Za-z0-9 &+_.-]{1,11}"


def sender(help_text: str, also: str = "") -> Field:
    """Whom an SMS comes from: a number, a short code or a name of up to 11; `also` is one more pattern."""
    return Field(
        name="sender",
        label="Sender",
        help=help_text,
        pattern=rf"\+?[1-9][0-9]{{6,14}}|[0-9]{{3,8}}|{_NAME}" + (f"|{also}" if also else ""),
        fix="A sender is a number, a short code, or a name of up to 11 letters and digits.",
    )


def api_address(usual: str) -> Field:
    """Where a vendor's API stands; other than usual only for accounts of another region."""
    return Field(
        name="address",
        label="Address of the API",
        help="Other than usual only for an account in another region.",
        default=usual,
        pattern=r"https?://[A-Za-z0-9.:-]{1,200}",
        fix=f"The address looks like {usual}.",
    )


def password(
    name: str, label: str, help_text: str = "", *, is_required: bool = True, least: int = 8
) -> Field:
    """A secret in one line, without spaces."""
    return Field(
        name=name,
        label=label,
        help=help_text,
        is_secret=True,
        is_required=is_required,
        pattern=rf"[!-~]{{{least},200}}",
        fix=f"{least} to 200 letters (A to Z, a to z), digits and ASCII signs, without spaces.",
    )
