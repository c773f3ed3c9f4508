"""Fake vendors on loopback: the dialects, rules, refusals and bills of thirteen vendors."""

from __future__ import annotations

from fakevendors.failures import WAYS, Way
from fakevendors.server import Account, Street
from fakevendors.vendors import CHAT, VENDORS, Vendor

__all__ = ["CHAT", "VENDORS", "WAYS", "Account", "Street", "Vendor", "Way"]
