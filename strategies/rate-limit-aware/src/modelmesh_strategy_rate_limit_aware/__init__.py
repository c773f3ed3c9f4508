"""Rate-limit-aware strategy: ``modelmesh.rate-limit-aware.v1``."""

from modelmesh_strategy_rate_limit_aware.strategy import RateLimitAware

__all__ = ["RateLimitAware"]
