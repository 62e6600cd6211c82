"""Where in a form does a refusal stand? At the field that it names, or above them all."""

from flask_wtf import FlaskForm

from portal.errors import BadInput


def show(form: FlaskForm, refusal: BadInput) -> None:
    """Shows a refusal at its field, in place of what stood there; above all where the form lacks that."""
    if refusal.field in form:
        form[refusal.field].errors = [refusal.message]
    else:
        form.form_errors.append(refusal.message)
