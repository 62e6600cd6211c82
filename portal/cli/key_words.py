"""What is said of the server's keys: which one is used, what still needs an old one, and what comes next?"""

from collections.abc import Collection, Mapping, Sequence

from portal.keys import FILE

# What needs an old key, by its version; in words.
Needs = Mapping[int, Sequence[str]]


def standing(kind: str, versions: Collection[int], needs: Needs) -> list[str]:
    """A line for each version of a kind of key, the oldest first."""
    newest = max(versions)
    return [f"{kind} key {each}: {_of(each, newest, needs.get(each, ()))}" for each in sorted(versions)]


def removed(kind: str, gone: Collection[int], versions: Collection[int]) -> str:
    """What a removal did; `versions` are those that are left."""
    if gone:
        return f"Removed {kind} {_keys(gone)} from {FILE}: nothing needed {_it(gone)}."
    if len(versions) == 1:
        return f"Removed nothing: there is no old {kind} key."
    return f"Removed nothing: each old {kind} key is still needed."


def next_step(kind: str, versions: Collection[int], needs: Needs, resealed: Collection[str]) -> str:
    """What an operator does next; `resealed` are the needs that `reseal` ends."""
    old = sorted(set(versions) - {max(versions)})
    held = [each for each in old if needs.get(each)]
    if not old:
        return f"Next: nothing. `portal keys rotate {kind}` adds a newer key, when you want one."
    if any(need in resealed for each in held for need in needs[each]):
        return f"Next: `portal keys reseal {kind}`, once every machine has this {FILE}."
    if held == old:
        return f"Next: wait until nothing needs {_it(old)}, then `portal keys retire {kind}`."
    return f"Next: `portal keys retire {kind}` removes {_keys(set(old) - set(held))}."


def after_removal() -> str:
    """What to do with the file that has a key less."""
    return f"Next: back {FILE} up and copy it to your other machines. Older backups need an older copy."


def _of(version: int, newest: int, needs: Sequence[str]) -> str:
    if version == newest:
        return "the newest; whatever is new gets it."
    return f"old, still needed by {', and by '.join(needs)}." if needs else "old, and needed by nothing."


def _keys(versions: Collection[int]) -> str:
    return f"key{'' if len(versions) == 1 else 's'} {', '.join(map(str, sorted(versions)))}"


def _it(versions: Collection[int]) -> str:
    return "it" if len(versions) == 1 else "them"
