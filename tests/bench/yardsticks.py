"""What do a bare Flask route, and lean ones with few statements and one commit, reach on the same server?

They are the measure that our figures are printed beside; nothing in Ringback uses them.
"""

import os

from flask import Flask, jsonify
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event, insert, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.bench import same_rows


class Base(DeclarativeBase):
    """The lean routes' tables."""


class Row(Base):
    """What a lean verification would keep."""

    __tablename__ = "yardstick_row"

    id: Mapped[int] = mapped_column(primary_key=True)
    used: Mapped[bool] = mapped_column(default=False)
    guesses: Mapped[int] = mapped_column(default=0)


class Sent(Base):
    """What a lean outbox would keep."""

    __tablename__ = "yardstick_sent"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str]


def create_app() -> Flask:
    """All of them, on the database in YARDSTICK_URL."""
    app = Flask("yardstick")
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["YARDSTICK_URL"]
    db = SQLAlchemy(app, model_class=Base)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _set_pragmas)
            event.listen(db.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))

    @app.get("/bare")
    def bare() -> object:
        return jsonify(ok=True)

    @app.post("/verify/<int:row_id>")
    def verify(row_id: int) -> object:
        wanted = update(Row).where(Row.id == row_id, Row.used.is_(False), Row.guesses < 5)
        changed = db.session.execute(wanted.values(used=True, guesses=Row.guesses + 1)).rowcount
        db.session.commit()
        return jsonify(verified=changed == 1)

    @app.post("/send/<int:row_id>")
    def send(row_id: int) -> object:
        db.session.execute(update(Row).where(Row.id == row_id).values(guesses=Row.guesses + 1))
        db.session.execute(insert(Sent).values(number=str(row_id)))
        db.session.commit()
        return jsonify(sent=True)

    app.register_blueprint(same_rows.routes)
    return app


def seed(url: str, rows: int) -> None:
    """Makes the tables and as many rows as there are users."""
    from sqlalchemy import create_engine

    engine = create_engine(url)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        for start in range(0, rows, 10_000):
            connection.execute(
                insert(Row),
                [
                    {"id": at + 1, "used": False, "guesses": 0}
                    for at in range(start, min(rows, start + 10_000))
                ],
            )
    engine.dispose()


def _set_pragmas(connection, _record) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode = wal", "synchronous = full", "busy_timeout = 10000"):
        connection.execute(f"PRAGMA {pragma}")
