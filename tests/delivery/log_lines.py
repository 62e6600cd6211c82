"""Everything that is logged while a test does its worst, at the most talkative level."""

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import structlog

from portal import logs


@contextmanager
def every_line() -> Iterator[io.StringIO]:
    """What is logged meanwhile; the loggers are left as they were."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level, ours = root.handlers[:], root.level, structlog.get_config()
    try:
        with patch.object(sys, "stderr", stream):
            logs.configure("debug")
            yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**ours)
