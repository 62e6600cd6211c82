"""How does a connection see one moment, from the first row that is read to the last?"""

from typing import Any


def options(*, is_sqlite: bool) -> dict[str, Any]:
    """What SQLAlchemy executes with for it. SQLite's reader sees one anyway, PostgreSQL is asked for it."""
    return {} if is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
