"""Which receipts are about no message? They are counted by the hour, for the app's owner."""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from portal.core import limits
from portal.models import INSERT, Provider, UnmatchedReceipt


def count(session: Session, provider_id: str, receipts: int, now: int) -> None:
    """Counts so many more receipts of a carrier that matched no message, at `now` (Unix ms).

    The caller has shown that they come from this carrier. What is a day old goes at the same time.
    """
    hour = now - now % limits.HOUR
    it = UnmatchedReceipt
    of_app = select(Provider.app_id).where(Provider.id == provider_id).scalar_subquery()
    row = {"app_id": of_app, "provider_id": provider_id, "hour": hour, "receipts": receipts, "last_at": now}
    add = INSERT[session.get_bind().dialect.name](it).values(row)
    greatest = func.max if session.get_bind().dialect.name == "sqlite" else func.greatest
    session.execute(
        add.on_conflict_do_update(
            index_elements=[it.app_id, it.provider_id, it.hour],
            set_={
                "receipts": it.receipts + add.excluded.receipts,
                "last_at": greatest(it.last_at, add.excluded.last_at),
            },
        )
    )
    session.execute(
        delete(it)
        .where(it.provider_id == provider_id, it.hour <= now - limits.DAY - limits.HOUR)
        .execution_options(synchronize_session=False)
    )
