"""Which providers can apps choose from here?"""

from collections.abc import Mapping
from typing import TextIO

from portal.delivery.providers.base import Provider
from portal.delivery.providers.console import Console
from portal.delivery.providers.inbox import Inbox


def by_name(*, production: bool, terminal: TextIO) -> Mapping[str, Provider]:
    """The providers of this installation. Codes are printed only where nobody is served yet (OPS-06)."""
    everywhere: list[Provider] = [Inbox()]
    for_trying_out: list[Provider] = [Console(terminal)]
    return {each.name: each for each in (everywhere if production else everywhere + for_trying_out)}
