"""With which key are backups sealed and opened? The operator's own, or the one in keys.json."""

from portal import keys
from portal.config import Settings


def of(settings: Settings, *, must_be_there: bool = False) -> tuple[bytes, str]:
    """The key, and where it lives, in words for the operator. Raises keys.WrongKeys.

    A new one (unless it `must_be_there`) opens no backup of before.
    """
    if settings.backup_key:
        return settings.backup_key.encode(), "PORTAL_BACKUP_KEY"
    found = keys.require(settings.home) if must_be_there else keys.load(settings.home)
    return found.backups, f"{keys.FILE} in PORTAL_HOME"
