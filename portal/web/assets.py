"""Where do style sheets, scripts and icons come from? Our static folder, and two installed packages."""

import hashlib
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Flask, Response, request, url_for
from flask_bootstrap import Bootstrap5

FOREVER = "public, max-age=31536000, immutable"
HTMX_PACKAGE = "js_lib_htmx"
HTMX_FILE = "htmx.min.js"
STATIC_ENDPOINTS = frozenset({"static", "vendor.static", "bootstrap.static"})


class MissingAsset(Exception):
    """A file that every page needs is not installed; the message says which."""


def mount(app: Flask) -> None:
    """Serves htmx and Bootstrap from their packages, and gives templates `asset` and `style_sheets`.

    Raises MissingAsset at start rather than serving pages without behaviour.
    """
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    Bootstrap5(app)
    app.register_blueprint(_vendor())
    stamp, htmx = _stamp(Path(app.static_folder or "static")), version("django-js-lib-htmx")
    app.jinja_env.globals.update(
        asset=lambda file: _address("static", file, stamp, request.script_root),
        htmx_address=lambda: _address("vendor.static", HTMX_FILE, htmx, request.script_root),
        style_sheets=_style_sheets(Path(app.static_folder or "static")),
    )
    app.after_request(_cache_for_long)


# Every page names some forty files, and their addresses stay the same below one root. Whoever serves us
# under more roots than these has them made anew.
@lru_cache(maxsize=512)
def _address(endpoint: str, file: str, stamp: str, _root: str) -> str:
    return url_for(endpoint, filename=file, v=stamp)


def _vendor() -> Blueprint:
    # The package is only looked up, never imported: importing it would want Django.
    spec = find_spec(HTMX_PACKAGE)
    places = list(spec.submodule_search_locations or []) if spec else []
    folder = Path(places[0], "static", "htmx") if places else Path("missing")
    if not (folder / HTMX_FILE).is_file():
        raise MissingAsset(f"{HTMX_FILE} is missing: install django-js-lib-htmx.")
    return Blueprint("vendor", __name__, static_folder=str(folder), static_url_path="/vendor/htmx")


def _style_sheets(static: Path) -> list[str]:
    parts = sorted(file.name for file in (static / "css" / "parts").glob("*.css"))
    return ["css/tokens.css", "css/base.css", "css/layout.css", *(f"css/parts/{name}" for name in parts)]


def _stamp(static: Path) -> str:
    """One short word for all our files: it changes when any of them does."""
    digest = hashlib.sha256()
    for file in sorted(path for path in static.rglob("*") if path.is_file()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _cache_for_long(answer: Response) -> Response:
    # Bootstrap's sheet is imported by tokens.css without a version, so it may only be kept for a day.
    if request.endpoint in STATIC_ENDPOINTS and answer.status_code in (200, 304):
        answer.headers["Cache-Control"] = FOREVER if "v" in request.args else "public, max-age=86400"
    return answer
