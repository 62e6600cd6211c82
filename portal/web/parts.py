"""What did the factory put together? For pages."""

from flask import current_app

from portal.services.context import Parts


def parts() -> Parts:
    """What this process works with: settings, keys, limits, hasher, mailer."""
    found: Parts = current_app.extensions["ringback"]
    return found
