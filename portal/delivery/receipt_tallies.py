"""How are receipts counted that are not kept? By the hour, for a day, one row a carrier, hour and kind."""

from collections.abc import Mapping

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from portal.core import limits
from portal.models import INSERT, Provider, ReceiptTally


def add(
    session: Session,
    it: type[ReceiptTally],
    provider_id: str,
    receipts: int,
    now: int,
    kind: Mapping[str, str] | None = None,
) -> None:
    """Counts so many more receipts of a carrier in the table `it`, at `now` (Unix ms).

    `kind` has what else the table tells apart. The caller has shown that they come from this carrier. What
    is a day old goes at the same time.
    """
    name, kind = session.get_bind().dialect.name, dict(kind or {})
    of_app = select(Provider.app_id).where(Provider.id == provider_id).scalar_subquery()
    row = {"app_id": of_app, "provider_id": provider_id, "hour": now - now % limits.HOUR} | kind
    put = INSERT[name](it).values(row | {"receipts": receipts, "last_at": now})
    greatest = func.max if name == "sqlite" else func.greatest
    counted = {
        "receipts": it.receipts + put.excluded.receipts,
        "last_at": greatest(it.last_at, put.excluded.last_at),
    }
    index = ["app_id", "provider_id", "hour", *kind]
    session.execute(put.on_conflict_do_update(index_elements=index, set_=counted))
    session.execute(
        delete(it)
        .where(it.provider_id == provider_id, it.hour <= now - limits.DAY - limits.HOUR)
        .execution_options(synchronize_session=False)
    )
