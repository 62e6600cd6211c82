"""Why are failed messages tried again, and up to which one?"""

from wtforms import HiddenField

from portal.web.forms import serials
from portal.web.forms.deeds import ReasonForm


class RetryForm(ReasonForm):
    """The reason, and the newest message that the confirmation spoke of."""

    up_to = HiddenField()

    @property
    def newest(self) -> int:
        """The serial of that message; 0, which nothing has, when the form does not say."""
        return serials.read(self.up_to.data) or 0
