"""By which files do server processes and their parent know of each other? Names in their shared folder."""

from typing import Final

# By this the parent tells its processes that they are about to end.
LEAVING: Final = "leaving"
# This says who the parent is: it may be gone before a process of its has even begun.
PARENT: Final = "parent"
