"""Does a chain fit the heads that are kept outside? Those of before a restart are answered apart (PII-07)."""

from collections.abc import Iterable, Iterator

from portal.core import audit_seals
from portal.core.audit_anchors import Anchor
from portal.core.audit_seals import Link
from portal.services.audit_chains import Chain


class Comparison:
    """Compares the entries of one chain, as they are walked through, with the anchors of that chain.

    After a restart numbers of the former chain's end may be given anew, so what tells whether an anchor is of
    before it is its time, too.
    """

    def __init__(self, chain: Chain, anchors: Iterable[Anchor]) -> None:
        self._chain = chain
        self._wanted: dict[int, Link] = {}
        self._former: dict[int, Link] = {}
        self._seen: dict[int, Link] = {}
        for each in anchors:
            wanted = self._former if self._is_former(each) else self._wanted
            wanted[each.link.sequence] = each.link

    def of_base(self) -> Iterator[str]:
        """What is wrong with what the chain begins after."""
        yield from self.of_entry(self._chain.base)

    def of_entry(self, link: Link) -> Iterator[str]:
        """What is wrong with an entry by what an anchor tells of it."""
        if link.sequence in self._former:
            # Of two with one number, the later one is of after the restart.
            self._seen.setdefault(link.sequence, link)
        anchor = self._wanted.get(link.sequence)
        if anchor is not None and anchor != link:
            yield f"entry {link.sequence} is not the one that the head outside tells of"

    def of_end(self) -> Iterator[str]:
        """What is wrong with where the chain ends."""
        last, head = max(self._wanted, default=0), self._chain.head
        if last > head.sequence:
            gone = audit_seals.missing(head.sequence + 1, last)
            yield f"{gone}, which the head outside tells of: the newest were cut off"

    def of_before(self) -> Iterator[str]:
        """What to say of the anchors of before the restart: how many fit, which do not, and which cannot."""
        fitting = [place for place, link in self._former.items() if self._seen.get(place) == link]
        gone = [place for place in self._former if place < self._chain.base.sequence]
        if fitting:
            yield f"heads outside of before the restart that fit: {len(fitting)}"
        if gone:
            yield f"heads outside of before the restart whose entries were removed for their age: {len(gone)}"
        for place in sorted(set(self._former) - set(fitting) - set(gone)):
            yield f"entry {place} is not the one that the head outside of before the restart tells of"

    def _is_former(self, anchor: Anchor) -> bool:
        restart = self._chain.restart
        if restart is None:
            return False
        is_earlier = anchor.sealed_at is not None and anchor.sealed_at < restart.at
        return is_earlier or anchor.link.sequence < restart.sequence
