"""Which file of SMS templates is brought in, and what goes with it?"""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, TextAreaField
from wtforms.validators import ValidationError

from portal.core.template_file import LONGEST_FILE

NOTHING_GIVEN = "Choose a file, or paste what stands in one."


def _with_plain_line_ends(text: str | None) -> str | None:
    # Browsers send CRLF, which must not make a file too long that was not.
    return text.replace("\r\n", "\n") if text else text


class ImportForm(FlaskForm):
    """A file or its text. What is wrong inside is for core/template_file.py to say."""

    file = FileField(
        "File", description="A file that was exported here, or made like one: JSON, 256 KiB at most."
    )
    text = TextAreaField("Or paste its text", filters=[_with_plain_line_ends])
    remove_missing = BooleanField("Remove languages that are not in the file")

    def validate_text(self, field: TextAreaField) -> None:
        """Something must be given, by file or by paste."""
        if not self.file.data and not (field.data or "").strip():
            raise ValidationError(NOTHING_GIVEN)

    @property
    def given(self) -> str | bytes:
        """What is brought in: the file where one was chosen, and what was pasted otherwise."""
        if not self.file.data:
            return self.text.data or ""
        # One byte more than may be, so that a longer file is seen to be too long.
        given: bytes = self.file.data.read(2 * LONGEST_FILE)
        try:
            return _with_plain_line_ends(given.decode("utf-8-sig")) or ""
        except UnicodeDecodeError:
            return given


class ConfirmedImportForm(FlaskForm):
    """What was looked at, and the stamp of the look."""

    text = HiddenField(filters=[_with_plain_line_ends])
    remove_missing = BooleanField()
    stamp = HiddenField()
