"""Prints what was measured beside the yardstick of the same run, and the aims."""

from dataclasses import dataclass, field

from tests.bench.driver import Outcome


@dataclass
class Results:
    """All outcomes of one database, the turns of a figure added up."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    raw_hashes: float = 0.0
    pss_mb: dict[str, float] = field(default_factory=dict)
    start_s: float = 0.0

    def note(self, name: str, outcome: Outcome) -> None:
        """Adds one turn to a figure."""
        known = self.outcomes.setdefault(name, Outcome())
        known.seconds += outcome.seconds
        known.statuses.update(outcome.statuses)
        known.times_ms += outcome.times_ms

    def rate(self, name: str) -> float:
        """Answers a second of a figure; 0 when it was not measured."""
        return self.outcomes[name].per_second if name in self.outcomes else 0.0


# Figure, what it is measured against, and the least share of it that we aim for.
AIMS = (
    ("verify", "lean verify", 0.60),
    ("resend", "lean send", 0.70),
    ("send (change)", "lean send", 0.70),
    ("verify, 1 M", "verify", 0.95),
    ("resend, 1 M", "resend", 0.95),
    ("send (change), 1 M", "send (change)", 0.95),
    ("token, 1 M", "token", 0.95),
)

# Figure, and the lean route that writes the same rows: what asking, checking and deciding cost us.
BESIDE = (
    ("verify", "same rows, verify"),
    ("resend", "same rows, resend"),
    ("send (change)", "same rows, change"),
    ("token", "same rows, token"),
    ("register", "same rows, register"),
)


def show(database: str, results: Results, workers: int) -> None:
    """Prints one database's table."""
    print(f"\n{database}, {workers} processes")
    print(f"{'figure':<22}{'req/s':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}   answers")
    for name, outcome in results.outcomes.items():
        p50, p95, p99 = (outcome.percentile(share) for share in (0.50, 0.95, 0.99))
        statuses = " ".join(f"{status}:{count}" for status, count in sorted(outcome.statuses.items()))
        print(f"{name:<22}{outcome.per_second:>8.0f}{p50:>9.1f}{p95:>9.1f}{p99:>9.1f}   {statuses}")
    print(f"raw argon2id           {results.raw_hashes:>7.1f}")
    print()
    for name, measure, aim in AIMS:
        if results.rate(name) and results.rate(measure):
            _against(f"{name} / {measure}", results.rate(name) / results.rate(measure), aim, least=True)
    for name in ("token", "register"):
        _against(f"{name} / raw argon2id", results.rate(name) / results.raw_hashes, 0.85, least=True)
    calm, storm = (results.outcomes[name].percentile(0.95) for name in ("verify, calm", "verify, storm"))
    _against("verify p95, storm / calm", storm / calm, 1.5, least=False)
    _against(
        "verify p99 at 64 clients, ms",
        results.outcomes["verify, 64 clients"].percentile(0.99),
        200,
        least=False,
    )
    previews = results.outcomes["preview, 20 authors"].percentile(0.95)
    _against("preview p95 at 20 authors, ms", previews, 100, least=False)
    _show_beside(results)
    for which, pss_mb in results.pss_mb.items():
        _against(f"MB PSS after load, {which}", pss_mb, 120, least=False)
    _against("start to first answer, one process, s", results.start_s, 1.5, least=False)
    errors = sum(
        count
        for outcome in results.outcomes.values()
        for status, count in outcome.statuses.items()
        if status >= 500
    )
    _against("answers of 500 and over", errors, 0, least=False)


def _show_beside(results: Results) -> None:
    """What a lean route that writes the same rows reaches of the same yardsticks, and how near ours comes."""
    for name, lean in BESIDE:
        if results.rate(lean):
            print(f"         {f'{name} / {lean}':<44}{results.rate(name) / results.rate(lean):>9.2f}")
    for name, measure in (("verify", "verify"), ("resend", "send"), ("change", "send")):
        ceiling = results.rate(f"same rows, {name}") / results.rate(f"lean {measure}")
        print(f"         {f'same rows, {name} / lean {measure}':<44}{ceiling:>9.2f}")
    for name in ("token", "register"):
        ceiling = results.rate(f"same rows, {name}") / results.raw_hashes
        print(f"         {f'same rows, {name} / raw argon2id':<44}{ceiling:>9.2f}")
    calm, storm = (results.outcomes[f"same rows, {when}"].percentile(0.95) for when in ("calm", "storm"))
    print(f"         {'same rows, p95, storm / calm':<44}{storm / calm:>9.2f}")


def _against(what: str, figure: float, aim: float, *, least: bool) -> None:
    kept = figure >= aim if least else figure <= aim
    bound = "at least" if least else "at most"
    print(f"  {'ok    ' if kept else 'MISSED'} {what:<44}{figure:>9.2f}   ({bound} {aim:g})")
