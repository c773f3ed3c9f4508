"""``create()`` with the names of all models of a provider."""

from __future__ import annotations

import time

from modelmesh_connector_openai import OpenAIProvider

import modelmesh
from subjects.mesh import POOL
from subjects.setting import Runner, Setting


def create(_setting: Setting, count: str) -> Runner:
    """Create a client with so many models, which the configuration names."""

    def run(_times: int) -> dict[str, float]:
        models = [f"model-{number}" for number in range(int(count))]
        provider = OpenAIProvider(base_url="http://127.0.0.1:9/v1", api_key="test", models=models)
        names = [one.id for one in provider.models()]
        began = time.process_time()
        client = modelmesh.create(config={"providers": {"account": {"instance": provider, "models": names}}, "pools": {POOL: {}}})
        took = time.process_time() - began
        client.close()
        return {"cpu": took}

    return run
