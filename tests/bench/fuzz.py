"""How many requests of any kind does the REST door survive?

`python -m tests.bench.fuzz [REQUESTS] [DATABASE_URL]` prints how often each status was answered. It ends
with 1 at the first answer of 500 and more, redirect, or body that is not JSON, and shows the request.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import database
from portal.config import Settings
from portal.factory import create_app
from portal.models import ActorKind
from portal.services import apps
from portal.services.context import Caller
from tests.api.requests import requests
from tests.api.test_fuzz import assert_sane
from tests.conftest import migrate
from tests.drivers import KiiClient

IN_EACH = 10


def main(count: int = 5_000, url: str = "") -> None:
    """Sends `count` requests to a fresh app over an empty database and prints the statuses."""
    with tempfile.TemporaryDirectory() as home:
        wanted = Settings(home=Path(home), database_url=url, worker=False, log_level="error", limits="bench")
        migrate(wanted.sqlalchemy_url)
        app = create_app(wanted)
        print(dict(sorted(storm(_client(app), count).items())))
        with app.app_context():
            database.db.engine.dispose()


def storm(kii: KiiClient, count: int) -> Counter[int]:
    """How often each status was answered in `count` requests."""
    admin, found = kii.as_admin(), Counter[int]()
    health = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]

    @settings(max_examples=count // IN_EACH, deadline=None, database=None, suppress_health_check=health)
    @given(st.lists(requests(), min_size=IN_EACH, max_size=IN_EACH))
    def send(many: list) -> None:
        user = kii.sign_up()
        for sent in many:
            answer = sent.send(user, admin.token)
            found[answer.status_code] += 1
            assert_sane(answer, sent)

    send()
    return found


def _client(app: Flask) -> KiiClient:
    with app.app_context(), database.transaction() as session:
        context = app.extensions["ringback"].context(session, Caller(ActorKind.SYSTEM))
        created = apps.create(context, apps.NewApp(name="Storm", home_country="JP"))
        here = context.in_app(created.app.id)
        apps.change(here, apps.AppChanges(phone_number_verification_required=True))
    return KiiClient(app.test_client(), created.app.id, created.app.client_id, created.client_secret)


if __name__ == "__main__":
    main(*[int(word) if word.isdigit() else word for word in sys.argv[1:]])
