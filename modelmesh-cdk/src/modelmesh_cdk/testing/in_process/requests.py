"""Tests of requests: invalid, unsupported and adapted ones."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from modelmesh.contracts import FailureClass
from modelmesh.errors import ModelNotFoundError, ProviderError
from modelmesh_cdk.testing.in_process.subject import InProcessSubject, Play
from modelmesh_cdk.testing.scripted_model import ScriptedModel

_F = FailureClass
INVENTED = "a_parameter_of_tomorrow"


class Requests(InProcessSubject):
    """An invalid or unsupported request is a typed error before the model is loaded. No parameter is dropped silently."""

    def test_invalid_request_is_the_callers_error(self, invalid: dict[str, Any], play: Play) -> None:
        """An invalid request is the caller's error. Nothing is loaded and nothing runs."""
        script = ScriptedModel()
        with pytest.raises(ProviderError) as caught:
            play(script).operation(self.operation_name, invalid)
        assert (caught.value.failure, script.loads, script.runs) == (_F.CALLER, 0, 0)

    def test_unknown_model_is_not_found(self, play: Play) -> None:
        """A request for an unknown model is an error. No other model answers it."""
        script = ScriptedModel()
        with pytest.raises(ModelNotFoundError):
            play(script).operation(self.operation_name, self.request, model="a-model-of-tomorrow")
        assert script.runs == 0

    def test_other_operation_is_a_capability_error(self, play: Play) -> None:
        """A request for an operation that the provider does not serve is a capability error. Nothing runs."""
        script = ScriptedModel()
        with pytest.raises(ProviderError) as caught:
            play(script).answer()
        assert (caught.value.failure, script.runs) == (_F.CAPABILITY, 0)

    def test_unknown_parameter_is_noted_or_refused(self, play: Play) -> None:
        """A parameter that the provider does not know is in ``adapted`` by its name, or it is a capability error."""
        refused = None
        adapted: list[str] = []
        try:
            adapted += self.send(play(ScriptedModel()), **{INVENTED: "ü"}).adapted
        except ProviderError as error:
            refused = error
        if refused is None:
            assert [line for line in adapted if INVENTED in line]
        else:
            assert refused.failure is _F.CAPABILITY

    def test_strict_request_is_not_adapted(self, play: Play) -> None:
        """A strict request that the provider would adapt is a capability error. Nothing runs."""
        script = ScriptedModel()
        ask = play(script)
        ask.strict = True
        with pytest.raises(ProviderError) as caught:
            self.send(ask, **{INVENTED: "ü"})
        assert (caught.value.failure, script.runs) == (_F.CAPABILITY, 0)

    def test_call_is_not_changed(self, play: Play) -> None:
        """The connector does not modify the call, because other attempts share it."""
        ask = play(ScriptedModel())
        with contextlib.suppress(ProviderError):
            self.send(ask, **{INVENTED: ["ü"]})
        assert ask.call.payload == ask.sent
