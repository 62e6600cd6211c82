"""What is to happen to a carrier, and what did the person see who asks for it?"""

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField


class SwitchForm(FlaskForm):
    """The toggle: a box that is sent when it is ticked and missing when it is not."""

    on = BooleanField("On")


class MoveForm(FlaskForm):
    """One place up or down, and the stamp of the order that the page showed."""

    direction = HiddenField()
    seen = HiddenField()


class RemovalForm(FlaskForm):
    """The stamp of what the confirmation showed."""

    seen = HiddenField()
