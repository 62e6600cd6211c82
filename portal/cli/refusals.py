"""What does the terminal say when a command is refused? The terminal's one table of refusals."""


def line_for(error: Exception) -> str | None:
    """A plain line for an operator, of settings one each; None for an error that nobody foresaw.

    Such an error keeps its traceback.
    """
    from sqlalchemy.exc import DBAPIError

    from portal.config import WrongSetting
    from portal.core.placeholders import WordingError
    from portal.database import WrongPragma
    from portal.errors import Refusal
    from portal.keys import WrongKeys
    from portal.services.erasure_journal import BrokenJournal

    if isinstance(error, Refusal):
        return error.message
    if isinstance(error, WrongSetting | WrongKeys | WrongPragma | WordingError | BrokenJournal):
        return str(error)
    if isinstance(error, DBAPIError) and _is_out_of_reach(error):
        return f"The database cannot be used: {_first_line(error.orig)}"
    return None


def _is_out_of_reach(error: Exception) -> bool:
    from sqlalchemy.exc import DatabaseError, OperationalError

    # A file that is no database at all is a plain DatabaseError; anything finer is a fault of ours.
    return isinstance(error, OperationalError) or type(error) is DatabaseError


def _first_line(error: object) -> str:
    return (str(error).splitlines() or ["no answer"])[0]
