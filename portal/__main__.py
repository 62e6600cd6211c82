"""How is Ringback started? `portal`, or `python -m portal`: hands app and worker to the terminal's door."""

import os
from typing import TYPE_CHECKING

from portal.cli.commands import portal
from portal.cli.installation import Installation

if TYPE_CHECKING:
    from flask import Flask

    from portal.worker import Worker


def main() -> None:
    """Runs one command; exits 0 when it is done, 1 when it was refused, 2 when it was misspelled."""
    # The database, the keys and SQLite's side files hold what nobody else on the machine may read.
    os.umask(0o077)
    portal(
        obj=Installation(_make_app, _make_worker, app_target="portal.serving:create_app", prepare=_prepare)
    )


# These imports cost most of a second, which `portal --help` need not wait for.
def _make_app() -> "Flask":
    from portal.factory import create_app

    return create_app()


def _make_worker(app: "Flask") -> "Worker":
    from portal.worker import Worker

    return Worker(app)


def _prepare() -> None:
    from portal.serving import prepare

    prepare()


if __name__ == "__main__":
    main()
