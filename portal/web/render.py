"""Is a whole page wanted, or only its fragment? The one place that looks at the htmx header for that."""

from flask import Response, make_response, redirect, render_template
from htmx_flask import make_response as answer_htmx
from htmx_flask import request


def wants_fragment() -> bool:
    """Whether htmx asks, for a part of a page that is open.

    A browser that restores its history asks with the htmx header too, and needs the whole page.
    """
    return bool(request.htmx) and not request.htmx.history_restore_request


def part_wanted() -> str:
    """The id of the part of its page that htmx asks for; empty for whoever wants a whole page."""
    return request.headers.get("HX-Target", "") if wants_fragment() else ""


def page_or_fragment(page: str, fragment: str, /, status: int = 200, **values: object) -> Response:
    """The template `fragment` for an htmx request, `page` (which includes it) for everybody else."""
    return make_response(render_template(fragment if wants_fragment() else page, **values), status)


def go_to(address: str) -> Response:
    """Sends the browser to one of our own addresses: 303 for a form, HX-Redirect for htmx.

    htmx would swap the page behind a redirect into the fragment that asked.
    """
    if request.htmx:
        answer: Response = answer_htmx("", redirect=address)
        return answer
    return make_response(redirect(address, 303))
