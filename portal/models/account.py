"""Who may sign in to the portal?"""

from flask_security import UserMixin
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import E164, Base, Id, Ms, random_id


class Account(Base, UserMixin):
    """A person who signs in to the portal. Never an app's end user."""

    __tablename__ = "account"

    id: Mapped[Id] = mapped_column(primary_key=True, default=random_id)  # type: ignore[assignment]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    # Flask-Security signs people out everywhere by changing this value.
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=random_id)
    created_at: Mapped[Ms]

    # Their own number, which tests of live apps go to. What waits for its code stands beside it until then.
    phone_number: Mapped[E164 | None]
    phone_number_confirmed_at: Mapped[Ms | None]
    # Whose code the confirming SMS holds: derived from this id, like every code (design 5).
    confirmation_id: Mapped[Id | None]
    confirmation_number: Mapped[E164 | None]
    confirmation_expires_at: Mapped[Ms | None]
    confirmation_guesses: Mapped[int] = mapped_column(default=0)

    # Roles belong to memberships, one an app; Flask-Security's global roles stay empty.
    roles = ()  # type: ignore[assignment]
