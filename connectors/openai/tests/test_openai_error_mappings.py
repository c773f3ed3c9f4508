"""OpenAI's ``invalid_prompt``: a policy error if the message names the policy, else unexplained."""

from __future__ import annotations

import pytest
from modelmesh_connector_openai.error_mappings import MAPPINGS

from modelmesh.contracts import FailureClass
from modelmesh_cdk.provider.common_errors import COMMON
from modelmesh_cdk.provider.error_bodies import read_error
from modelmesh_cdk.provider.error_mapping import find_mapping


@pytest.mark.parametrize(
    ("message", "failure"),
    [
        ("Invalid prompt: we've limited access to this content for safety reasons.", FailureClass.POLICY),
        ("Invalid prompt: your prompt was flagged as potentially violating our usage policy.", FailureClass.POLICY),
        ("Invalid prompt: the variable city is missing.", None),
    ],
)
def test_mappings_invalid_prompt_is_policy_if_stated(message: str, failure: FailureClass | None) -> None:
    error = read_error({"error": {"message": message, "type": "invalid_request_error", "code": "invalid_prompt"}})
    found = find_mapping(400, "invalid_prompt", error, (*MAPPINGS, *COMMON))
    assert (found.failure if found else None) is failure
