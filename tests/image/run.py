"""Checks of everything that deploys the proxy: ``nox -s image``. Not part of the gate, because it downloads and builds.

``--write`` renews the plain manifests. Names of checks restrict the run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial

from chart import check_chart, check_manifests
from container import check_image
from linters import check_compose, check_dockerfile
from queries import check_queries


def main(arguments: list[str]) -> int:
    """Run the checks and return the exit code."""
    checks: dict[str, Callable[[], Iterator[str]]] = {
        "dockerfile": check_dockerfile,
        "compose": check_compose,
        "chart": check_chart,
        "manifests": partial(check_manifests, write="--write" in arguments),
        "queries": check_queries,
        "image": check_image,
    }
    chosen = [name for name in arguments if not name.startswith("--")] or list(checks)
    failed = False
    for name in chosen:
        problems = list(checks[name]())
        failed = failed or bool(problems)
        print(f"{'FAIL' if problems else 'ok  '}  {name}", flush=True)
        for problem in problems:
            print(f"      {problem}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
