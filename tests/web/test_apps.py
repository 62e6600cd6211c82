"""Can an owner make an app, and see its secret once? And the access keys and the inbox."""

import re

import pytest
from sqlalchemy import select, update

from portal.models import App, BearerToken, KeyKind, MessageState, OpenCountry
from portal.services import access_keys
from tests import factories

SECRET = re.compile(r'id="client-secret">([^<]+)<')


def last4(session, app_id: str) -> list[str]:
    """The ends of an app's live ClientSecrets."""
    keys = access_keys.live(session, app_id)
    return [key.last4 for key in keys if key.kind is KeyKind.CLIENT_SECRET]


def test_a_new_app_is_a_sandbox_of_its_maker_with_its_home_country_open(alices, session):
    page = alices.post("/apps", {"name": "Kumo", "home_country": "JP"}).text
    app = session.scalar(select(App).where(App.name == "Kumo"))

    assert (app.mode, app.home_country) == ("sandbox", "JP")
    assert list(session.scalars(select(OpenCountry.country).where(OpenCountry.app_id == app.id))) == ["JP"]
    assert last4(session, app.id) == [SECRET.search(page)[1][-4:]]
    assert f'data-settles-at="/apps/{app.id}/access-keys"' in page
    assert alices.get(f"/apps/{app.id}").status_code == 200


def test_the_secret_is_shown_once(alices):
    page = alices.post("/apps", {"name": "Kumo", "home_country": "JP"}).text
    secret = SECRET.search(page)[1]
    keys = alices.get(re.search(r'data-settles-at="([^"]+)"', page)[1]).text

    assert secret not in keys
    assert f"</span>{secret[-4:]}</code>" in keys


@pytest.mark.parametrize(
    ("name", "country", "said"),
    [
        ("", "JP", "Give the app a name."),
        ("x" * 31, "JP", "Shorten the name to 30 characters."),
        ("evil.example", "JP", "without a web address"),
        ("a\u202eb", "JP", "invisible characters"),
        ("Fine", "", "Choose the country"),
        ("Fine", "XX", "Not a valid choice."),
    ],
)
def test_tpl_03_a_refused_app_answers_422_and_keeps_what_was_typed(alices, session, name, country, said):
    answer = alices.post("/apps", {"name": name, "home_country": country})

    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{name}"' in answer.text
    assert "data-focus" in answer.text
    assert len(session.scalars(select(App)).all()) == 1


def test_the_overview_counts_users_and_leads_to_them(alices, shop, customer):
    page = alices.get(f"/apps/{shop.id}").text

    assert re.findall(r"<strong>([\d,]+)</strong>", page) == ["1", "1", "0", "1", "0"]
    assert f'href="/apps/{shop.id}/users?pending=yes"' in page


def test_reading_the_code_is_done_once_somebody_is_verified(alices, shop, session):
    def is_open() -> bool:
        item = alices.get(f"/apps/{shop.id}").text.split("Read the code on the sandbox phone")[0]
        return item.rsplit("<li", 1)[1].startswith(' class="is-open"')

    assert is_open()
    factories.user(session, app_id=shop.id, phone_number="+819012345678", phone_number_verified=True)
    assert not is_open()


def step(page: str, title: str) -> tuple[bool, str]:
    """Whether a step of the overview is done, and what stands under it."""
    [(state, told)] = re.findall(
        rf'<li class="is-(done|open)">(?:(?!</li>).)*?>{title}</a><p class="small muted">(.*?)</p>',
        page,
        re.DOTALL,
    )
    return state == "done", told.strip()


@pytest.mark.parametrize(
    ("mode", "provider", "carriers", "is_done", "told"),
    [
        (
            "sandbox",
            "inbox",
            0,
            False,
            "Until then the inbox gets the SMS. You need an account with a carrier,",
        ),
        ("sandbox", "inbox", 1, True, "1 provider is on. SMS go to the inbox until you go live there."),
        ("live", "carriers", 2, True, "2 providers are on: SMS reach real phones."),
        ("live", "carriers", 0, False, "No provider is on: no SMS reaches anybody."),
        ("live", "console", 0, False, "SMS go to the terminal"),
    ],
)
def test_the_overview_says_that_real_phones_need_a_carrier(
    alices, shop, session, mode, provider, carriers, is_done, told
):
    for _ in range(carriers):
        factories.provider(session, app_id=shop.id)
    session.execute(update(App).where(App.id == shop.id).values(mode=mode, provider=provider))
    found = step(alices.get(f"/apps/{shop.id}").text, "Add a provider for real phones")

    assert found[0] == is_done
    assert found[1].startswith(told)


def test_a_reset_needs_its_verb_typed(alices, shop, session):
    answer = alices.post(f"/apps/{shop.id}/access-keys/secret", {"confirmation": "yes"})

    assert answer.status_code == 422
    assert "Nothing was changed." in answer.text
    assert last4(session, shop.id) == [shop.client_secret[-4:]]


def test_a_reset_shows_its_secret_once_and_ends_every_token(alices, shop, session):
    factories.bearer_token(session, app_id=shop.id, user_id=factories.user(session, app_id=shop.id).id)
    answer = alices.post(f"/apps/{shop.id}/access-keys/secret", {"confirmation": " Reset "})
    secret = SECRET.search(answer.text)[1]

    assert last4(session, shop.id) == [secret[-4:]] != [shop.client_secret[-4:]]
    assert session.scalars(select(BearerToken)).all() == []
    assert secret not in alices.get(f"/apps/{shop.id}/access-keys").text


@pytest.fixture
def inbox(shop) -> str:
    return f"/apps/{shop.id}/inbox"


def put_in(session, shop, count: int = 1, **columns) -> None:
    for _ in range(count):
        user = factories.user(session, app_id=shop.id)
        factories.message(
            session,
            app_id=shop.id,
            user_id=user.id,
            state=MessageState.SENT,
            provider="inbox",
            values={"app_name": "Shop", "minutes": "10"},
            **columns,
        )


def test_an_empty_inbox_says_what_will_come(alices, inbox):
    assert "No SMS yet." in alices.get(inbox).text


def test_the_inbox_shows_the_text_with_its_code_and_asks_again_by_itself(alices, inbox, shop, session):
    put_in(session, shop)
    page = alices.get(inbox).text

    assert re.search(r"hx-disable>Shop: \d{6}</p>", page)
    assert 'hx-trigger="portal:poll"' in page


def test_an_open_inbox_is_told_only_of_changes(alices, inbox, shop, session):
    put_in(session, shop)
    again = re.search(r'hx-get="([^"]+)"', alices.get(inbox).text)[1].replace("&amp;", "&")
    assert alices.fragment(again).status_code == 204
    put_in(session, shop)
    news = alices.fragment(again)

    assert 'data-news="1 new message"' in news.text
    assert news.text.lstrip().startswith('<div id="messages"')


def test_a_long_inbox_goes_on_behind_a_link(alices, inbox, shop, session):
    put_in(session, shop, 31)
    page = alices.get(inbox).text
    older = re.search(r'href="([^"]+before=[^"]+)"', page)[1]

    assert page.count("<li id=") == 30
    assert alices.get(older).text.count("<li id=") == 1


def test_the_inbox_of_an_app_gone_live_says_so_and_leads_to_its_messages(alices, inbox, shop, session):
    put_in(session, shop)
    session.execute(update(App).where(App.id == shop.id).values(mode="live", provider="carriers"))
    answer = alices.get(inbox)

    assert answer.status_code == 404
    assert "This app is live: its SMS go to real phones" in answer.text
    assert f'class="btn btn-primary" href="/apps/{shop.id}/messages"' in answer.text
    assert "Check the address" not in answer.text
    assert "Shop: " not in answer.text
    assert alices.fragment(inbox).status_code == 404


def test_the_overview_ticks_no_provider_that_is_paused(alices, session, shop, clock):
    factories.provider(session, app_id=shop.id, paused_until=clock.at + 60_000)
    session.execute(update(App).values(mode="live", provider="carriers"))
    page = alices.get(f"/apps/{shop.id}").text
    assert "1 provider is on, and paused: no SMS reaches anybody now." in page
    clock.advance(61)
    assert "1 provider is on: SMS reach real phones." in alices.get(f"/apps/{shop.id}").text
