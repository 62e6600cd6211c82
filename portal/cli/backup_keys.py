"""With which key are backups sealed and opened? The operator's own, or the one in keys.json."""

from portal import keys
from portal.config import Settings


def of(settings: Settings) -> tuple[bytes, str]:
    """The key, and where it lives, in words for the operator. Raises keys.WrongKeys."""
    if settings.backup_key:
        return settings.backup_key.encode(), "PORTAL_BACKUP_KEY"
    return keys.load(settings.home).backups, f"{keys.FILE} in PORTAL_HOME"
