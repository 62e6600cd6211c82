"""Who may sign in to the portal, and what may they do in which app?"""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core.roles import Role
from portal.errors import AlreadyExists, BadInput, NotFound
from portal.models import INSERT, Account, App, AuditAction, Membership
from portal.services import audit, own_accounts, team
from portal.services.context import Context


def create(ctx: Context, email: str, password_hash: str) -> Account:
    """A new account with a ready argon2id hash. Raises BadInput, or AlreadyExists for a known address."""
    address = read_address(email)
    if find(ctx.session, address) is not None:
        raise AlreadyExists("email", address)
    account = Account(email=address, password=password_hash, active=True, created_at=ctx.now)
    try:
        with ctx.session.begin_nested():
            ctx.session.add(account)
    except IntegrityError as error:
        # Somebody made it at the same moment.
        raise AlreadyExists("email", address) from error
    # An account belongs to no app, whoever makes it.
    audit.record(ctx.in_app(""), AuditAction.ACCOUNT_CREATED, details={"account_id": account.id})
    return account


def read_address(email: str) -> str:
    """An e-mail address as it is kept, in lower case. Raises BadInput (email) for what is none."""
    address = email.strip().lower()
    name, at, domain = address.rpartition("@")
    is_address = bool(name and at and "." in domain) and "@" not in name and len(address) <= 254
    if not is_address or any(char.isspace() or not char.isprintable() for char in address):
        raise BadInput("email", "Write an e-mail address such as alice@example.com.")
    return address


def find(session: Session, email: str) -> Account | None:
    """The account with this e-mail address, if there is one."""
    return session.scalar(select(Account).where(Account.email == email.strip().lower()))


def emails(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """The e-mail addresses of accounts by their ids, in one query; None is nobody."""
    known = {each for each in ids if each}
    wanted = select(Account.id, Account.email).where(Account.id.in_(known))
    return {row.id: row.email for row in session.execute(wanted)} if known else {}


def set_password(ctx: Context, email: str, password_hash: str) -> Account:
    """Gives an account a new password; it is signed out everywhere (WEB-01). Raises NotFound."""
    account = _get(ctx.session, email)
    own_accounts.replace_password(ctx.session, account, password_hash)
    audit.record(ctx, AuditAction.ACCOUNT_PASSWORD_CHANGED, details=_named(account))
    return account


def admit(ctx: Context, email: str, role: Role) -> None:
    """Makes the account with this address a member of the app of `ctx`, or changes its role there.

    Raises NotFound, and BadInput (role) where no owner would be left (TEN-06).
    """
    account = _get(ctx.session, email)
    try:
        join(ctx, account.id, role)
    except AlreadyExists:
        team.change_role(ctx, account.id, role)
    else:
        audit.record(ctx, AuditAction.MEMBER_JOINED, details=_named(account) | {"role": role})


def join(ctx: Context, account_id: str, role: Role) -> None:
    """Makes an account a member of the app of `ctx`. Raises AlreadyExists when it is one."""
    row = {"account_id": account_id, "app_id": ctx.app_id, "role": role, "created_at": ctx.now}
    add = INSERT[ctx.session.get_bind().dialect.name](Membership).values(row).on_conflict_do_nothing()
    if ctx.session.scalar(add.returning(Membership.account_id)) is None:
        raise AlreadyExists("account", account_id)


def apps_of(session: Session, account_id: str) -> list[tuple[App, Role]]:
    """The apps that an account is a member of, by name, each with its role."""
    rows = session.execute(
        select(App, Membership.role)
        .join(Membership, Membership.app_id == App.id)
        .where(Membership.account_id == account_id)
        .order_by(App.name, App.id)
    )
    return [(app, Role(role)) for app, role in rows]


def role_in(session: Session, account_id: str, app_id: str) -> Role | None:
    """An account's role in an app; None for a stranger, and for an app that does not exist."""
    role = session.scalar(
        select(Membership.role).where(Membership.account_id == account_id, Membership.app_id == app_id)
    )
    return Role(role) if role else None


def owners_of(session: Session, app_id: str) -> int:
    """How many accounts own an app."""
    owners = select(func.count()).where(Membership.app_id == app_id, Membership.role == Role.OWNER)
    return session.scalar(owners) or 0


def _named(account: Account) -> dict[str, object]:
    # The address is for whoever reads the log, the id finds the entry for the account itself.
    return {"account": account.email, "account_id": account.id}


def _get(session: Session, email: str) -> Account:
    account = find(session, email)
    if account is None:
        raise NotFound("account", f"There is no account {email}.")
    return account
