"""Which addresses does Ringback answer? `make urls` writes the list that test_urls.py keeps."""

import tempfile
from pathlib import Path

from flask import Flask

LIST = Path(__file__).with_name("urls.txt")


def listing(app: Flask) -> str:
    """Every rule with its methods and endpoint, a line each, in the order of the addresses."""
    lines = []
    for rule in app.url_map.iter_rules():
        methods = ",".join(sorted((rule.methods or {"ANY"}) - {"HEAD", "OPTIONS"})) or "ANY"
        lines.append(f"{rule.rule}  {methods}  {rule.endpoint}")
    return "\n".join(sorted(lines)) + "\n"


if __name__ == "__main__":
    from portal.config import Settings
    from portal.factory import create_app

    with tempfile.TemporaryDirectory() as home:
        LIST.write_text(listing(create_app(Settings(home=Path(home)))), encoding="utf-8")
