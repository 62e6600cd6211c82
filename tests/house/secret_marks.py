"""What does a secret look like that somebody committed by mistake? Marks of keys, tokens and passwords."""

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator

# Keys that tell by themselves what they are; no file of ours may hold one, tests included.
MARKS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\s|\\n)*[0-9A-Za-z+/=]{16,}"),
    "an AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a Twilio key": re.compile(r"\bSK[0-9a-f]{32}\b"),
    "a Twilio account": re.compile(r"\bAC(?!(?:0123456789abcdef){2})(?!(.)\1{31})[0-9a-f]{32}\b"),
    "a Stripe key": re.compile(r"\b[rs]k_live_[0-9A-Za-z]{16,}"),
    "a GitHub token": re.compile(r"\b(?:gh[opsu]_[0-9A-Za-z]{36}|github_pat_\w{22,})"),
    "a Slack token": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    "a Google key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a signed token": re.compile(r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}"),
    "a password in an address": re.compile(
        r"\b(?:postgres\w*|redis|smtp|https?)://[^\s:/@\"'{<]+:[^\s/@\"'{<]{4,}@"
    ),
}
# Something long and random behind a sign of equality or a colon.
_RANDOM = re.compile(r"[:=]\s*[\"']([0-9A-Za-z+/_=-]{24,})[\"']")
_MOST_ORDER = 3.6
_SECRET_NAME = re.compile(r"(?i)password|passwd|secret|token|api_?key|credential|pepper|salt")
_PLAIN_WORD = re.compile(r"[A-Z]?[a-z_. -]+|.*[ {}%].*|")


def marks_in(text: str) -> Iterator[str]:
    """Which kinds of keys a text holds."""
    yield from (name for name, mark in MARKS.items() if mark.search(text))


def random_values_in(text: str) -> Iterator[str]:
    """Long values without order that are given to something, as a key in hex or base64 is."""
    yield from (found for found in _RANDOM.findall(text) if _entropy(found) > _MOST_ORDER and _mixed(found))


def passwords_in(code: str) -> Iterator[str]:
    """Names of passwords and tokens that Python code gives a value to in so many letters."""
    for node in ast.walk(ast.parse(code)):
        for name, value in _given(node):
            is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
            if is_text and _SECRET_NAME.search(name) and not _PLAIN_WORD.fullmatch(value.value):
                yield f"{name} = {value.value!r}"


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        yield from ((ast.unparse(target), node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield ast.unparse(node.target), node.value
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        yield from (
            (ast.unparse(key), value) for key, value in zip(node.keys, node.values, strict=True) if key
        )


def _mixed(text: str) -> bool:
    """Names of things are letters alone, and alphabets are in order; what was drawn is neither."""
    return sorted(text) != list(text) and bool(re.search(r"[0-9]", text) and re.search(r"[A-Za-z]", text))


def _entropy(text: str) -> float:
    """Bits a character: 4 for random hex, about 5 and more for random base64."""
    parts = [count / len(text) for count in Counter(text).values()]
    return -sum(part * math.log2(part) for part in parts)
