"""Does this lead to a page of ours? Asked of every address that a request names to go on to (WEB-08)."""

from urllib.parse import urlsplit

from flask import current_app

from portal.web.addresses import is_page


def is_own_path(target: str) -> bool:
    """Whether `target` is a path of this portal that can be opened by a link (WEB-08).

    The list of pages is the map of routes itself. Hosts, backslashes and control characters are out.
    """
    if not target.startswith("/") or target.startswith("//") or not target.isascii():
        return False
    if any(char in '\\"<>' or char <= " " for char in target) or "%" in urlsplit(target).path:
        return False
    return _opens(urlsplit(target).path)


def _opens(path: str) -> bool:
    pages = current_app.url_map.bind("")
    return is_page(path) and bool(pages.test(path, "GET"))
