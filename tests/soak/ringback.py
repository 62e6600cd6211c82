"""The `portal` command, but for how long a worker's lease is: nobody waits for a minute a hundred times."""

import sys

from portal.cli.commands import portal
from portal.cli.installation import Installation
from portal.factory import create_app
from portal.worker import Worker


def main() -> None:
    lease = int(sys.argv.pop(1))
    portal(
        obj=Installation(
            create_app, lambda app: Worker(app, lease=lease), app_target="portal.factory:create_app"
        )
    )


if __name__ == "__main__":
    main()
