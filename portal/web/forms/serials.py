"""Which row of a list does an address name?"""


def read(text: str | None) -> int | None:
    """A row's number; None for what no row can have."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > 18:
        return None
    return int(text)
