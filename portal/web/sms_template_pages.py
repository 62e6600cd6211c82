"""Where do the pages of an app's SMS templates stand, and which language does one's address name?

Several files add their pages to this blueprint.
"""

from flask import Blueprint

from portal.core import locales
from portal.errors import NotFound

pages = Blueprint("sms_templates", __name__, url_prefix="/apps/<id:app_id>/sms-templates")


def tag_of(locale: str) -> str:
    """A locale of an address in its usual casing. Raises NotFound for what is none."""
    try:
        return locales.normalise(locale)
    except locales.LocaleError as error:
        raise NotFound("sms_template", "There is no such language.") from error
