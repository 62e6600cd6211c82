"""How is a real Chromium driven, and what may no page ever do? Break, complain, or call out."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    Response,
    WebError,
    expect,
)

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = "Chromium is missing, so no page was opened: on Debian, run apt-get install chromium."
# Two busy cores may take their time; nothing waits longer than it must.
PATIENCE_MS = 15_000
# Times are shown in the person's own zone, and a fade must not be caught half-way.
CONTEXT = {
    "viewport": {"width": 1280, "height": 800},
    "timezone_id": "Asia/Tokyo",
    "locale": "en-GB",
    "reduced_motion": "reduce",
}
# What the console says once more: an answer's status, which is judged by itself below, and that htmx gave up
# a request because newer text was typed.
REPEATED = re.compile(
    r"Failed to load resource: the server responded with a status|htmx:(afterRequest|sendAbort)$"
)
REPORT_VIOLATIONS = """
    addEventListener("securitypolicyviolation", (event) =>
        console.error(`CSP report: ${event.violatedDirective} refused ${event.blockedURI || event.sample}`))
"""

expect.set_options(timeout=PATIENCE_MS)


def launch_options() -> dict[str, Any]:
    """How Playwright starts the Chromium of this machine. Raises FileNotFoundError when there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise FileNotFoundError(MISSING)
    return {"executable_path": found, "args": ARGUMENTS}


@dataclass
class Watch:
    """Everything that a browser complained about. A test that provokes a refusal says so with `expects`."""

    origin: str
    trouble: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    expected: set[int] = field(default_factory=lambda: {422})

    def over(self, context: BrowserContext) -> None:
        """Watches every page of a context from now on."""
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", self._see_error)
        context.on("dialog", self._see_dialog)
        context.on("request", self._see_request)
        context.on("requestfailed", self._see_failure)
        context.on("response", self._see_answer)

    def expects(self, *statuses: int) -> None:
        """These answers are what the test is about; 422 always is, since that is how a form is refused."""
        self.expected |= set(statuses)

    def must_be_calm(self) -> None:
        """Fails with every complaint so far."""
        assert not self.trouble, "\n".join(self.trouble)

    def paths(self) -> list[str]:
        """The path of every request so far, in order."""
        return [urlsplit(request.url).path for request in self.requests]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not REPEATED.match(message.text):
            self.trouble.append(f"console {message.type}: {message.text}")

    def _see_error(self, error: WebError) -> None:
        self.trouble.append(f"page error: {error.error}")

    def _see_dialog(self, dialog: Dialog) -> None:
        self.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _see_request(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith((f"{self.origin}/", "data:")):
            self.trouble.append(f"request to a foreign place: {request.url}")

    def _see_failure(self, request: Request) -> None:
        # The page itself gives up what it no longer needs: a preview of older text, a page that is left.
        if request.failure != "net::ERR_ABORTED":
            self.trouble.append(f"{request.method} {request.url}: {request.failure}")

    def _see_answer(self, answer: Response) -> None:
        if answer.status >= 400 and answer.status not in self.expected:
            self.trouble.append(f"{answer.request.method} {answer.url}: {answer.status}")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """With these, Playwright's plugin starts one browser for all tests of a worker."""
    try:
        return launch_options()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def watch(site: str) -> Watch:
    """What the test's browser complained about so far."""
    return Watch(site)


@pytest.fixture
def scripts() -> bool:
    """Whether the browser runs JavaScript; test_without_javascript.py says no."""
    return True


@pytest.fixture
def context(browser: Browser, site: str, watch: Watch, scripts: bool) -> Iterator[BrowserContext]:
    """A browser that knows nothing yet; addresses may be given as paths of the site."""
    with browser.new_context(base_url=site, java_script_enabled=scripts, **CONTEXT) as context:
        context.set_default_timeout(PATIENCE_MS)
        watch.over(context)
        yield context


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Iterator[Page]:
    """An empty tab. The test fails at its end if any page of the browser broke or complained."""
    yield context.new_page()
    watch.must_be_calm()
