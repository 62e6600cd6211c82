"""How many argon2id hashes can this machine make? The ceiling of logging in and signing up."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher


def per_second(seconds: float) -> float:
    """Hashes a second on all cores, with OWASP's parameters (m=19456 KiB, t=2, p=1)."""
    hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
    until = time.perf_counter() + seconds

    def work() -> int:
        made = 0
        while time.perf_counter() < until:
            hasher.hash("correct horse 1")
            made += 1
        return made

    cores = os.cpu_count() or 1
    began = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        made = sum(pool.map(lambda _: work(), range(cores)))
    return made / (time.perf_counter() - began)
