"""`portal worker`, but for its provider, which writes each SMS to a file. Started by conftest.py."""

import json
import os
import sys
import time
from pathlib import Path

from portal.cli.commands import portal
from portal.cli.installation import Installation
from portal.delivery.providers.base import Accepted, Sms
from portal.factory import create_app
from portal.worker import Worker


class FileProvider:
    """Writes a line for each SMS, then takes its time before it says that it took it."""

    name = "inbox"

    def __init__(self, path: Path, delay: float, poison: str) -> None:
        self._path, self._delay, self._poison = path, delay, poison

    def send(self, sms: Sms) -> Accepted:
        line = json.dumps({"reference": sms.reference, "to": sms.to, "text": sms.text, "pid": os.getpid()})
        # One write in append mode is whole, whoever else writes.
        with self._path.open("a") as file:
            file.write(line + "\n")
        if sms.reference == self._poison:
            # As if the machine had killed it: nothing after this runs.
            os._exit(9)
        time.sleep(self._delay)
        return Accepted(f"of-{os.getpid()}")


def main() -> None:
    path, delay, lease, poison = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    providers = {"inbox": FileProvider(path, delay, poison)}

    def make_worker(app) -> Worker:
        # Periodic jobs would only make it a matter of chance what a signal interrupts.
        return Worker(app, providers=providers, lease=lease, pause=0.1, timetable={})

    portal(["worker"], obj=Installation(create_app, make_worker, app_target=""))


if __name__ == "__main__":
    main()
