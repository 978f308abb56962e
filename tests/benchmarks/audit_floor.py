"""The floor of a crawl: its requests made by bare ``requests.Session`` loops, a thread each.

    python tests/benchmarks/audit_floor.py HOST:PORT THREADS < LINES

A line is a method and a path. Prints the seconds that the requests took, without the start.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests


def ask_all(host: str, asked: list[tuple[str, str]]) -> None:
    """Make the requests, one after the other, bodies read."""
    with requests.Session() as session:
        for method, path in asked:
            answer = session.request(method, f"http://{host}{path}")
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: {answer.status_code}")


def main() -> None:
    host, threads = sys.argv[1], int(sys.argv[2])
    asked = [(line.split()[0], line.split()[1]) for line in sys.stdin]
    shares = [asked[number::threads] for number in range(threads)]
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(ask_all, host, share) for share in shares]:
            done.result()
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
