"""Values of the rotation contract."""

from __future__ import annotations

import pytest

from modelmesh.contracts import ModelSnapshot


@pytest.mark.parametrize(("until", "remaining"), [(None, None), (130.0, 30.0), (100.0, 0.0), (50.0, 0.0)])
def test_model_snapshot_cooldown_remaining(until: float | None, remaining: float | None) -> None:
    snapshot = ModelSnapshot(model_id="m", provider_id="p", now=100.0, cooldown_until=until)
    assert snapshot.cooldown_remaining == remaining
