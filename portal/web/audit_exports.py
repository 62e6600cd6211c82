"""The audit log of an app as a file: CSV for a spreadsheet, JSON Lines for a program."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from flask import Blueprint, Response, request, stream_with_context

from portal import clock
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput
from portal.models import App
from portal.services import audit_log
from portal.services.audit_log import Told
from portal.web import zones
from portal.web.filters import action
from portal.web.forms.audit_log import AuditFilters
from portal.web.guards import Standing, may

pages = Blueprint("audit_exports", __name__, url_prefix="/apps/<id:app_id>/audit/export")

# A spreadsheet takes a cell that begins like this for a formula (PII-08).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
# Where a cell ends at other signs than commas, what follows one of these begins a cell.
_AFTER_SEPARATOR = re.compile(r"([;\t|]\s*)(?=[=+\-@＝＋－＠])")
# Excel reads UTF-8 as such only after this mark; pandas and Python's utf-8-sig skip it.
_MARK = "\ufeff"
_COLUMNS = ("id", "time", "actor", "account", "action", "what", "user", "reason", "details")


@pages.post("")
@may(Action.EXPORT_AUDIT)
def export(standing: Standing) -> Response:
    """The whole log, or what the filters leave of it, streamed. That it was taken is on record first."""
    filters = AuditFilters.read(request.form)
    kind = request.form.get("format", "")
    if kind not in _WRITERS:
        raise BadInput("format", "Choose CSV or JSON Lines.")
    facts = {"format": "CSV" if kind == "csv" else "JSON Lines"} | _worded(filters)
    with transaction() as session:
        ctx = standing.context(session)
        end = audit_log.begin_export(ctx, facts)
    file_name = _file_name(standing.app, kind)
    found = audit_log.chunks(reading(), standing.app.id, filters.wanted, end)
    answer = Response(stream_with_context(_WRITERS[kind](found)), mimetype=_TYPES[kind])
    answer.headers.set("Content-Disposition", "attachment", filename=file_name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _worded(filters: AuditFilters) -> dict[str, str]:
    """How an export was filtered, for its entry. Days are written out: none looks like a number."""
    days = {"from": filters.first, "to": filters.last}
    written = {name: f"{day:%-d %B %Y}" for name, day in days.items() if day}
    # Whoever reads the entry may live elsewhere, where the same day is another one.
    return filters.arguments() | written | ({"time_zone": zones.name()} if written else {})


def _csv(found: Iterator[list[Told]]) -> Iterator[str]:
    """RFC 4180: commas, quotes only where needed and doubled inside, CRLF at each line's end."""
    yield _MARK + _lines([_COLUMNS])
    for entries in found:
        yield _lines([[_cell(value) for value in _record(entry).values()] for entry in entries])


def _lines(rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()


def _cell(value: object) -> str:
    text = _json(value) if isinstance(value, dict) else "" if value is None else str(value)
    text = text[:1] + _AFTER_SEPARATOR.sub(r"\1'", text[1:])
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _json_lines(found: Iterator[list[Told]]) -> Iterator[str]:
    for entries in found:
        yield "".join(f"{_json(_record(entry))}\n" for entry in entries)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _record(entry: Told) -> dict[str, object]:
    told = (
        entry.id,
        clock.as_datetime(entry.at).isoformat(timespec="milliseconds"),
        entry.actor_kind,
        entry.account,
        entry.action,
        action(entry.action),
        entry.user_id,
        entry.reason,
        dict(entry.details),
    )
    return dict(zip(_COLUMNS, told, strict=True))


def _file_name(app: App, kind: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", app.name.lower()).strip("-") or app.id
    return f"ringback-audit-{slug}-{clock.as_datetime(clock.now()):%Y-%m-%d}.{kind}"


_WRITERS: dict[str, Callable[[Iterator[list[Told]]], Iterator[str]]] = {"csv": _csv, "jsonl": _json_lines}
_TYPES = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
