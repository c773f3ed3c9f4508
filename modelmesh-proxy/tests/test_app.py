"""The application serves the hot routes over a real socket."""

import json
import urllib.request

from sample_config import CONFIG

from modelmesh_proxy import ProxyServer


def test_models_are_listed() -> None:
    server = ProxyServer(CONFIG, port=0)
    server.start(block=False)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.get_status().port}/v1/models") as reply:
            assert "text-generation" in {row["id"] for row in json.load(reply)["data"]}
    finally:
        server.stop()
