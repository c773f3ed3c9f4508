"""Kit for strategies and rotation policies: base classes, and what a strategy needs to compare candidates.

=================================  ======================================================================
:class:`BaseStrategy`              base class: override ``select`` or ``score``
:class:`ThresholdRotationPolicy`   standby and recovery by thresholds on a snapshot of the model
:class:`RollingWindow`             samples of the last seconds
:func:`membership`                 pool of a request, and position of a candidate in it
:func:`mask_of`                    mask of some positions
:func:`positions_in`               positions of a mask
:func:`remaining`                  remaining capacity under the rate limits of a model
:func:`remaining_of_members`       the same for all members of a pool
:class:`MemberTimers`                    one timer for each member of a pool
:func:`cost_nano_usd`              cost of an answer in nano-dollars, ``None`` when unknown
:func:`prompt_size`                estimated tokens of a prompt
:func:`is_media`                   whether a request is none for text or embeddings
:func:`expected_usage`             expected usage of such a request, with units such as ``images``
:func:`allowed_output`             output limit that the caller states
:data:`TYPICAL_OUTPUT`             expected tokens of an answer before the first one
:data:`EWMA_ALPHA`                 weight of the latest sample in the moving averages of the mesh
:data:`NANO`                       nano-dollars of a dollar
=================================  ======================================================================
"""

from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh._engine.limits.media_usage import ExpectedUsage, expected_usage, is_media
from modelmesh._engine.limits.output_parameters import allowed_output
from modelmesh._engine.limits.spending import TYPICAL_OUTPUT
from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh._engine.routing.candidates import EWMA_ALPHA
from modelmesh_cdk.strategy.base import BaseStrategy, StrategyConfig
from modelmesh_cdk.strategy.pool_membership import mask_of, membership, positions_in
from modelmesh_cdk.strategy.remaining_capacity import STALE_AFTER_S, Remaining, remaining, remaining_of_members
from modelmesh_cdk.strategy.rolling_window import RollingWindow
from modelmesh_cdk.strategy.threshold_rotation import ThresholdRotationConfig, ThresholdRotationPolicy
from modelmesh_cdk.strategy.timers import MemberTimers

__all__ = [
    "EWMA_ALPHA",
    "NANO",
    "STALE_AFTER_S",
    "TYPICAL_OUTPUT",
    "BaseStrategy",
    "ExpectedUsage",
    "MemberTimers",
    "Remaining",
    "RollingWindow",
    "StrategyConfig",
    "ThresholdRotationConfig",
    "ThresholdRotationPolicy",
    "allowed_output",
    "cost_nano_usd",
    "expected_usage",
    "is_media",
    "mask_of",
    "membership",
    "positions_in",
    "prompt_size",
    "remaining",
    "remaining_of_members",
]
