"""Operations of accounts: files, batches, uploads and stored responses, which a vendor keeps for one account.

The accounts that serve an operation form a pool, so a request to them follows the same flow as one to a model: health, limits,
retries, failover and records. The ID of a resource names its account (:mod:`modelmesh._engine.foundation.resource_ids`), and a
request with such an ID goes to that account only.

A list of several accounts is one list, in the order of the configuration: a page has the rows of one account after the other, up
to the first account with a further page. The cursor of that page names the account where the next page begins.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve

from modelmesh._engine.builtin.stick_until_failure import StickUntilFailure
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.resource_ids import is_id, qualify, split
from modelmesh._engine.limits.counter import Metric
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.native_calls import native_operations
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.pricing import ModelPricing
from modelmesh.errors import BadRequestError, CapabilityNotFoundError, ModelNotAllowedError

if TYPE_CHECKING:
    from modelmesh._engine.assembly.provider_entry import ProviderEntry
    from modelmesh._engine.assembly.providers import Providers
    from modelmesh._engine.mesh.core import MeshCore
    from modelmesh._engine.routing.steps import Served
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.caller import Caller
    from modelmesh.contracts.operations import Operation

LISTS = frozenset({"files.list", "batches.list"})
"""Operations that list the resources of all accounts."""

NAMES_MODELS = frozenset({"batches.create"})
"""Operations with models and prompts in a file, so that a caller with limited pools or a budget may not send them."""

_FREE = ModelPricing(per_request=0.0)


class AccountPools:
    """Pools of the accounts that serve operations of accounts, each built with its first request."""

    def __init__(self, core: MeshCore, providers: Providers, list_pools: Callable[[], Sequence[Pool]]) -> None:
        self._core, self._providers, self._list_pools = core, providers, list_pools
        self._pools: dict[str, Pool] = {}

    @property
    def all_keys(self) -> Container[str]:
        """Keys of all accounts, those without such operations included."""
        return self._providers.by_key

    def pool(self, operation: Operation) -> Pool:
        """Return the pool of an operation.

        Raises:
            CapabilityNotFoundError: No account serves it.
        """
        pool = self._pools.get(operation.name)
        if pool is None:
            with self._core.lock:
                members = [_candidate(entry, operation) for entry in self._providers if _serves(entry, operation)]
                pool = Pool(operation.name, "", members, StickUntilFailure(), self._core.health, None, self._core.reservations)
                self._pools[operation.name] = pool
        if not pool.members:
            keys = ", ".join(self._providers.by_key) or "none"
            message = (
                f"no account serves {operation.name}. Configured: {keys}. Add a provider whose vendor "
                "has this operation, such as openai."
            )
            raise CapabilityNotFoundError(message, pool_name=operation.name, details={"pools": []})
        return pool

    def pinned(self, call: Call) -> Call:
        """Return a call with the account that its IDs name.

        Raises:
            BadRequestError: No single account can serve it.
            CapabilityNotFoundError: No account serves the operation.
        """
        pool = self.pool(call.operation)
        found = dict(_ids(call.payload))
        owners = {owner: given for given in found.values() if (owner := split(given)[1]) is not None}
        if len(owners) > 1:
            raise _refused(call, f"its IDs belong to several accounts: {', '.join(sorted(owners))}. Name those of one account.")
        if owners:
            ((owner, given),) = owners.items()
            self._check_owner(call, pool, owner, given)
            return evolve(call, account=owner)
        keys = self.keys(call)
        if found and len(keys) > 1:
            given = next(iter(found.values()))
            example = qualify(given, keys[0])
            raise _refused(
                call,
                f"the ID {given!r} does not name its account, and {len(keys)} accounts serve the operation: {', '.join(keys)}. "
                f"Use the ID that ModelMesh returned, such as {example!r}, or set only_providers.",
            )
        return call

    def keys(self, call: Call) -> list[str]:
        """Return the keys of the accounts that may serve a call, in the order of the configuration."""
        pool = self.pool(call.operation)
        return [one.provider_id for one in pool.subset(pool.index.allowed(call))]

    def requests(self, call: Call) -> Generator[Call, Served, Served]:
        """Yield the requests that serve a call, one after the other: one, except for a list of several accounts.

        Raises:
            BadRequestError: No single account can serve it.
            CapabilityNotFoundError: No account serves the operation.
            ModelNotAllowedError: The caller may not use the account or the operation.
        """
        call = self._permitted(call)
        one = self.pinned(call)
        if call.options.caller is not None and one.account is not None:
            self._check_account(one, one.account)
        keys = self.keys(call)
        if call.operation.name not in LISTS or len(keys) < 2:  # noqa: PLR2004 - a list of one account is that account's own
            return (yield one)
        first = keys.index(one.account) if one.account in keys else 0
        return (yield from _pages(one, keys[first:]))

    def _permitted(self, call: Call) -> Call:
        """Return a call that only accounts with a model in an allowed pool may serve.

        Raises:
            ModelNotAllowedError: There is no such account, or the operation names models that no pool limits.
        """
        caller = call.options.caller
        if caller is not None and call.operation.name in NAMES_MODELS:
            _check_batch(call, caller)
        if caller is None or caller.pools is None:
            return call
        pools = [pool for pool in self._list_pools() if pool.name in (caller.pools or ())]
        keys = frozenset(member.provider_id for pool in pools for member in pool.members)
        only = call.options.only_providers
        keys = keys & only if only else keys
        if not keys:
            raise _forbidden(call, caller, "no account has a model in a pool that it may use")
        return evolve(call, options=evolve(call.options, only_providers=keys))

    def _check_account(self, call: Call, key: str) -> None:
        caller = call.options.caller
        if caller is not None and caller.pools is not None and key not in call.options.only_providers:
            raise _forbidden(call, caller, f"the account {key!r} has no model in a pool that it may use")

    def _check_owner(self, call: Call, pool: Pool, owner: str, given: str) -> None:
        if owner not in self._providers.by_key:
            keys = ", ".join(self._providers.by_key) or "none"
            raise _refused(call, f"{given!r} belongs to the account {owner!r}, which is not configured. Configured: {keys}.")
        if not pool.mask_of_provider(owner):
            served = ", ".join(one.provider_id for one in pool.members)
            raise _refused(
                call,
                f"{given!r} belongs to the account {owner!r}, which does not serve this operation. It is served by: {served}.",
            )


def _pages(call: Call, keys: list[str]) -> Generator[Call, Served, Served]:
    """Yield the requests for one page, and return it: the rows of each account up to the first that has more."""
    payload, rows, first_id = call.payload, [], None
    for key in keys:
        served = yield evolve(call, account=key, payload=payload)
        body: Any = served.outcome.body  # type: ignore[union-attr]
        found = body.get("data")
        if isinstance(found, list) and found:
            rows += found
            first_id = first_id or body.get("first_id")
        if body.get("has_more"):
            break
        payload = {name: value for name, value in call.payload.items() if name not in ("after", "before")}
    body["data"] = rows
    if first_id is not None:
        body["first_id"], body["last_id"] = first_id, rows[-1].get("id")
    return served


def _serves(entry: ProviderEntry, operation: Operation) -> bool:
    return operation.name in native_operations(entry.provider)


def _candidate(entry: ProviderEntry, operation: Operation) -> Candidate:
    """Return the account as a candidate. The operation stands in place of a model in records and statistics."""
    return Candidate(operation.name, "", ModelInfo(operation.name, pricing=_FREE), entry.provider, entry.account)


def _ids(payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the IDs of resources in the arguments, by the name of the argument."""
    for name, value in payload.items():
        if is_id(name):
            values: Iterable[Any] = value if isinstance(value, list | tuple) else (value,)
            for place, one in enumerate(values):
                if isinstance(one, str) and one:
                    yield f"{name}[{place}]", one


def _refused(call: Call, why: str) -> BadRequestError:
    return BadRequestError(f"{call.operation.name}: {why}", failure=FailureClass.CALLER, status=400)


def _check_batch(call: Call, caller: Caller) -> None:
    """Check that no limit of a caller applies to what the file of a batch contains. The mesh does not read that file.

    Raises:
        ModelNotAllowedError: One does.
    """
    if caller.pools is not None:
        raise _forbidden(call, caller, "the models of a batch are in its file, where no limit on pools applies")
    if any(one.limit.metric is not Metric.REQUESTS for one in caller.limits):
        raise _forbidden(call, caller, "the vendor bills a batch later, where no budget and no limit on tokens applies")


def _forbidden(call: Call, caller: Caller, why: str) -> ModelNotAllowedError:
    may = "" if caller.pools is None else f" It may use: {', '.join(sorted(caller.pools)) or 'no pool'}."
    message = f"the token {caller.name!r} may not use {call.operation.name}: {why}. Nothing was sent.{may}"
    return ModelNotAllowedError(message, pool_name=call.operation.name, caller=caller.name)
