"""Who is invited as what, and which role does a member get?"""

from flask_wtf import FlaskForm
from wtforms import RadioField, StringField
from wtforms.validators import DataRequired

from portal.core.roles import Role

# What a role is for, in the words of whoever gives it.
ROLES = [
    (Role.OWNER.value, "Owner"),
    (Role.SUPPORT.value, "Support"),
]
MEANINGS = {
    Role.OWNER.value: "Does everything: settings, SMS templates, keys, and the team.",
    Role.SUPPORT.value: "Finds and helps users. Sees no codes, no texts, no keys and no settings.",
}


class RoleForm(FlaskForm):
    """A role of the two."""

    role = RadioField("Role", choices=ROLES, validators=[DataRequired("Choose a role.")])

    @property
    def chosen(self) -> Role:
        """The role; only after the form was found right."""
        return Role(self.role.data)


class InviteForm(RoleForm):
    """Whose address, and which role."""

    email = StringField(
        "E-mail address",
        filters=[lambda text: text.strip() if text else text],
        validators=[DataRequired("Write the address that the invite goes to.")],
        description="The invite works for this address only.",
    )
