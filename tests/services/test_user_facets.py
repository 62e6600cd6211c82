"""Do the filters of the users page offer what there is, without asking for it on every page?"""

from portal.core import phone_number
from portal.services import memories, user_facets
from portal.services.memories import Memory
from portal.services.user_facets import REMEMBERED, Facets
from tests import factories


def sign_up(desk, number: str | None = None, locale: str | None = None) -> None:
    columns = {"phone_number": number, "locale": locale, "app_id": desk.app_id}
    desk.do(lambda ctx: factories.user(ctx.session, **columns))


def test_they_are_the_countries_and_locales_of_the_apps_own_users_each_once(desk, session):
    for number in ("+819012345678", "+819012345679", "+447400123456", None):
        sign_up(desk, number, "ja-JP" if number else None)
    factories.user(session, phone_number="+33612345678", locale="fr")
    session.commit()

    found = desk.do(lambda ctx: user_facets.of(ctx.session, desk.app_id))

    # Japan comes before the United Kingdom.
    assert found == Facets(["JP", "GB"], ["ja-JP"])
    assert all(country in phone_number.regions() for country in found.countries)


def test_an_app_is_asked_once_a_minute_and_each_app_for_itself(desk, clock):
    memory = Memory(user_facets.of, REMEMBERED)

    def countries(app_id: str, now: int) -> list[str]:
        return desk.do(lambda ctx: memory.of(ctx.session, app_id, now)).countries

    now = clock.now()
    assert countries(desk.app_id, now) == []
    sign_up(desk, "+819012345678")
    assert countries(desk.app_id, now + REMEMBERED - 1) == []
    assert countries("another", now) == []
    assert countries(desk.app_id, now + REMEMBERED) == ["JP"]


def test_it_never_remembers_more_than_a_bounded_number_of_apps(desk, clock):
    memory = Memory(user_facets.of, REMEMBERED)

    for at in range(memories.MOST_APPS + 10):
        desk.do(lambda ctx, at=at: memory.of(ctx.session, f"app{at}", clock.now()))

    assert len(memory._answers) <= memories.MOST_APPS
