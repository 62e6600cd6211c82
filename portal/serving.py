"""What is one of several server processes? An app, a watchman, and an end when its parent ends."""

import os
import signal
import threading

from flask import Flask
from sqlalchemy.orm import configure_mappers

from portal import config, factory
from portal.process_files import LEAVING, PARENT
from portal.watch.rounds import Rounds

# How often a process looks for its parent, and how long it may take to end without one (s).
_LOOK_EVERY = 0.5
_END_WITHIN = 25.0


_prepared: Flask | None = None


def prepare() -> None:
    """Makes the app, and reads what its pages are made of, for the processes that are forked from this one.

    Nothing is connected and no thread begins here: neither would outlive a fork. Raises what the factory
    raises.
    """
    global _prepared
    _prepared = factory.create_app()
    configure_mappers()
    for name in _prepared.jinja_env.list_templates(extensions=["html"]):
        _prepared.jinja_env.get_template(name)


def create_app() -> Flask:
    """The app of one of several server processes. Raises what the factory raises."""
    app = _prepared or factory.create_app()
    shared = config.shared_metrics()
    if shared is not None:
        app.extensions["probes"].readiness.is_leaving = (shared / LEAVING).exists
        parent = int((shared / PARENT).read_text())
        Rounds("parent", _LOOK_EVERY, lambda: _end_without(parent)).start()
    app.extensions["watchman"].start()
    return app


def _end_without(parent: int) -> None:
    # A parent that was killed can end nobody; whoever outlives it would hold the port for ever.
    if os.getppid() != parent:
        threading.Timer(_END_WITHIN, os._exit, (1,)).start()
        # Sent to the main thread itself, which waits in the server's own code and wakes up for no other.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        threading.Event().wait(_END_WITHIN)
