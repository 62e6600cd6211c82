"""Where do the pages of an app's SMS templates stand? The blueprint that several files add their pages to."""

from flask import Blueprint

pages = Blueprint("sms_templates", __name__, url_prefix="/apps/<id:app_id>/sms-templates")
