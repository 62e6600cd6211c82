"""Is a journal's line read as it was written? (PII-05)"""

import pytest

from portal.core import erasures
from portal.core.erasures import Erased, NoErasure

OF_USER = Erased("e1", "app", "user", "dora", ("aa", "bb"), 5)
OF_NUMBER = Erased("e2", "app", "number", None, ("cc",), 6)


@pytest.mark.parametrize("erased", [OF_USER, OF_NUMBER])
def test_a_line_is_read_as_it_was_written(erased):
    line = erasures.write(erased)

    assert "\n" not in line
    assert erasures.read(line) == erased


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "null",
        '{"id": "e1"}',
        erasures.write(OF_USER).replace('"dora"', "null"),
        erasures.write(OF_USER).replace('"user"', '"app"', 1),
        erasures.write(OF_USER).replace('["aa","bb"]', '"aa"'),
        erasures.write(OF_USER).replace('"erased_at":5', '"erased_at":true'),
        erasures.write(OF_USER).replace('"e1"', '""'),
    ],
)
def test_what_is_no_erasure_is_refused(line):
    with pytest.raises(NoErasure):
        erasures.read(line)
