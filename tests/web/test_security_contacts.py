"""Does whoever finds a weakness learn where to report it? (OPS-07)"""

from dataclasses import replace
from datetime import datetime, timedelta

from portal import clock as portal_clock


def test_ops_07_security_txt_names_the_contact_and_an_end_within_a_year(app, stranger):
    parts = app.extensions["ringback"]
    chosen = replace(
        parts.settings,
        security_contact="mailto:security@ringback.example",
        base_url="https://ringback.example",
    )
    app.extensions["ringback"] = replace(parts, settings=chosen)

    answer = stranger.get("/.well-known/security.txt")

    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    told = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert told["Contact"] == "mailto:security@ringback.example"
    assert told["Canonical"] == "https://ringback.example/.well-known/security.txt"
    left = datetime.fromisoformat(told["Expires"]) - portal_clock.as_datetime(portal_clock.now())
    assert timedelta(days=30) < left < timedelta(days=365)


def test_ops_07_without_a_contact_there_is_no_security_txt(stranger):
    assert stranger.get("/.well-known/security.txt").status_code == 404
