"""Which languages users have, who gets which template, and what is worth adding. Read from an index alone."""

import pytest
from sqlalchemy import event, insert, text

from portal.models import User
from portal.services import locale_use
from portal.services.locale_use import LocaleUse, Readers
from tests import factories
from tests.services.conftest import Desk


def sign_up(desk: Desk, locale: str | None, users: int = 1) -> None:
    def add(ctx):
        for _ in range(users):
            factories.user(ctx.session, app_id=desk.app_id, locale=locale)

    desk.do(add)


def uses(desk: Desk, offered: list[str], default: str = "en") -> list[LocaleUse]:
    return desk.do(lambda ctx: locale_use.of(ctx.session, desk.app_id, offered, default))


def test_an_app_without_users_has_no_languages(desk):
    assert uses(desk, ["en"]) == []


def test_languages_come_with_their_users_and_template_most_users_first(desk, transaction, keys):
    sign_up(Desk(transaction, keys), "fr", 9)
    for locale, users in (("ja-JP", 2), (None, 3), ("ko", 2), ("no tag", 1)):
        sign_up(desk, locale, users)
    assert uses(desk, ["en", "ja"], "ja") == [
        LocaleUse(None, 3, "ja"),
        LocaleUse("ja-JP", 2, "ja"),
        LocaleUse("ko", 2, "ja"),
        LocaleUse("no tag", 1, "ja"),
    ]


def test_exactly_one_language_is_counted_without_its_regions(desk, transaction, keys):
    sign_up(Desk(transaction, keys), "ja", 9)
    sign_up(desk, "ja", 2)
    sign_up(desk, "ja-JP")
    counted = [
        desk.do(lambda ctx, tag=tag: locale_use.exactly(ctx.session, desk.app_id, tag))
        for tag in ("ja", "ja-JP", "fr")
    ]
    assert counted == [2, 1, 0]


def test_readers_are_told_apart_by_whether_they_read_their_own_language():
    found = locale_use.readers(
        [
            LocaleUse("ja", 5, "ja"),
            LocaleUse("ja-JP", 2, "ja"),
            LocaleUse(None, 1, "en"),
            LocaleUse("ko", 4, "en"),
        ]
    )
    assert found == {"ja": Readers(in_theirs=7), "en": Readers(in_another=4, unknown=1)}
    assert found["ja"].all == 7


@pytest.mark.parametrize(
    ("locale", "served_by", "lacks"),
    [
        ("ja", "ja", None),
        ("ja-JP", "ja", None),
        ("pt-PT", "pt-BR", None),
        ("ja_jp", "JA", None),
        (None, "en", None),
        ("no tag", "en", None),
        ("", "en", None),
        ("\0", "en", None),
        ("ko-KR", "en", "ko"),
        ("sw-KE", "en", "sw"),
        ("zh-TW", "en", "zh-Hant"),
        ("zh-TW", "zh", "zh-Hant"),
        ("zh-CN", "en", "zh-Hans"),
        ("zh-CN", "zh", None),
        ("sr-ME", "sr", "sr-Latn"),
        ("hi-Latn-IN", "hi", "hi-Latn"),
        ("x-pirate", "en", "x-pirate"),
    ],
)
def test_what_is_worth_adding_is_the_language_in_its_script(locale, served_by, lacks):
    assert LocaleUse(locale, 1, served_by).lacks == lacks


def crowd(ctx) -> None:
    """Users of twenty languages, as many as make a database look at its indexes."""
    here = {"app_id": ctx.app_id, "created_at": ctx.now, "modified_at": ctx.now}
    rows = [here | {"id": f"{number:04}", "locale": f"en-x-{number % 20}"} for number in range(2000)]
    ctx.session.execute(insert(User), rows)
    ctx.session.execute(text("ANALYZE"))


def plan(desk: Desk, reads) -> str:
    """How the database goes about the one query of `reads(ctx)`."""

    def explain(ctx) -> str:
        connection, asked = ctx.session.connection(), []
        note = lambda _connection, _cursor, sql, values, *_: asked.append((sql, values))  # noqa: E731
        event.listen(connection, "before_cursor_execute", note)
        reads(ctx)
        event.remove(connection, "before_cursor_execute", note)
        ((sql, values),) = asked
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            return "\n".join(row[3] for row in rows)
        # Two thousand rows are scanned, sorted and hashed as fast, and rows that nobody vacuumed yet cost a
        # look each; what counts is whether the index alone can answer.
        for way in ("seqscan", "bitmapscan", "indexscan", "hashagg", "sort"):
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {sql}", values))

    return desk.do(explain)


@pytest.mark.parametrize(
    "reads",
    [
        lambda ctx: locale_use.of(ctx.session, ctx.app_id, ["en"], "en"),
        lambda ctx: locale_use.exactly(ctx.session, ctx.app_id, "ja"),
    ],
    ids=["of", "exactly"],
)
def test_users_are_counted_in_the_index_and_their_rows_are_not_read(desk, reads):
    desk.do(crowd)
    found = plan(desk, reads)

    assert "ix_user_locale" in found, found
    assert "Index Only Scan" in found or "COVERING INDEX" in found
    assert "TEMP B-TREE" not in found
