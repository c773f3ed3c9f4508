"""One vendor of three dialects and one running proxy for all tests of unmodified clients."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelmesh_cdk.testing import Upstream

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]  # importlib mode does not add the folders


@pytest.fixture(scope="session")
def vendor() -> Iterator[Upstream]:
    from vendor_server import answer

    with Upstream() as server:
        yield server.always(answer)


@pytest.fixture(scope="session")
def proxy(vendor: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from client_setup import configuration
    from proxy_process import proxy as started

    folder = tmp_path_factory.mktemp("proxy")
    (folder / "modelmesh.yaml").write_text(json.dumps(configuration(vendor.url)), "utf-8")
    with started(folder, "--config", "modelmesh.yaml", HOME=str(folder)) as running:
        yield f"http://127.0.0.1:{running.port}"
