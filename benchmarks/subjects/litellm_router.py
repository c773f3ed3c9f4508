"""litellm: its Router, and its function ``completion``. It runs in an environment of its own."""

from __future__ import annotations

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no download of prices

import litellm

from subjects.concurrency import in_flight, in_turn
from subjects.requests import MESSAGES, MODEL
from subjects.setting import Runner, Setting

litellm.telemetry = False


def _parameters(setting: Setting) -> dict[str, object]:
    return {"model": f"openai/{MODEL}", "api_key": "test", "api_base": f"{setting.url}/v1"}


def call(setting: Setting) -> Runner:
    """``litellm.completion``."""
    parameters = _parameters(setting)
    return in_turn(lambda: litellm.completion(messages=MESSAGES, **parameters).choices[0].message.content)


def router_acall_in_flight(setting: Setting) -> Runner:
    """``litellm.Router.acompletion`` with its defaults."""
    router = litellm.Router(model_list=[{"model_name": "chat", "litellm_params": _parameters(setting)}])

    async def once() -> object:
        return (await router.acompletion(model="chat", messages=MESSAGES)).choices[0].message.content

    return in_flight(setting, once)
