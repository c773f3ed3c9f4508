"""``create()``: a client from next to nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from modelmesh._engine.assembly.assembler import DEFAULT_STRATEGY
from modelmesh._engine.autodetect import DetectedProvider, detect, nothing_detected
from modelmesh._engine.config import MeshConfig
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.foundation.notices import NotEnforcedWarning, warn
from modelmesh._engine.foundation.secret import Secret
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.plugins.aliases import canonical_id
from modelmesh._engine.plugins.resolver import Resolver
from modelmesh.capabilities import PREDEFINED_POOLS, standard_tree
from modelmesh.client import MeshClient, ModelMesh, OpenAIClient
from modelmesh.errors import CapabilityNotFoundError, ConfigurationError, ModelMeshError, also

if TYPE_CHECKING:
    Providers = Sequence[str] | Mapping[str, Mapping[str, Any]]

_NOT_PASSED = cast("str", type("_Default", (str,), {"__slots__": ()})(DEFAULT_STRATEGY))
"""Equals the default strategy's name, and is told from a name that the caller passed."""


def create(
    *capabilities: str,
    pool: str | None = None,
    providers: Providers | None = None,
    models: Sequence[str] | None = None,
    strategy: str = _NOT_PASSED,
    api_keys: Mapping[str, str] | None = None,
    config: str | Mapping[str, Any] | MeshConfig | None = None,
) -> MeshClient:
    """Make a synchronous client.

    The first of these that is given decides: ``config``, ``pool``, ``capabilities``.

    Args:
        capabilities: Names such as ``chat-completion``; each makes a pool of that name.
        pool: A predefined pool, e.g. ``text-generation``, in place of capabilities.
        providers: Names to restrict detection to, or settings by name.
        models: Model IDs to restrict the pools to, with or without the provider before them.
        strategy: Of every pool; with ``config`` it replaces the pools' own only when it is passed.
        api_keys: Keys by provider name in place of the environment; only these providers are used.
        config: A path to a YAML or JSON file, a dictionary, or a :class:`MeshConfig`. One that names no provider, model
            or pool adds to what is detected.

    Returns:
        A client that is ready to use.

    Raises:
        ValueError: Nothing says what is wanted, or the configuration is wrong.
        RuntimeError: No provider was found.
        ConnectorError: A connector that is named cannot be used.
    """
    keys, settings = _sealed(api_keys, config)
    del api_keys, config
    with _own_frames_only():
        return MeshClient(_mesh(capabilities, pool, providers, models, strategy, keys, settings))


def create_async(
    *capabilities: str,
    pool: str | None = None,
    providers: Providers | None = None,
    models: Sequence[str] | None = None,
    strategy: str = _NOT_PASSED,
    api_keys: Mapping[str, str] | None = None,
    config: str | Mapping[str, Any] | MeshConfig | None = None,
) -> OpenAIClient:
    """Make an asynchronous client; arguments and errors are those of :func:`create`."""
    keys, settings = _sealed(api_keys, config)
    del api_keys, config
    with _own_frames_only():
        return OpenAIClient(_mesh(capabilities, pool, providers, models, strategy, keys, settings))


def assemble(
    *capabilities: str,
    providers: Providers | None = None,
    strategy: str = _NOT_PASSED,
    config: str | Mapping[str, Any] | MeshConfig | None = None,
) -> ModelMesh:
    """Assemble the mesh that :func:`create` would make a client of, and leave the stored state alone; for who only looks.

    Arguments and errors are those of :func:`create`.
    """
    _, settings = _sealed(None, config)
    del config
    with _own_frames_only():
        return _mesh(capabilities, None, providers, None, strategy, None, settings, read_only=True)


def _sealed(api_keys: Mapping[str, str] | None, config: Any) -> tuple[dict[str, Secret] | None, MeshConfig | None]:
    """Put keys out of sight before anything can raise: a traceback may show the values of a frame."""
    wrong = api_keys is not None and not isinstance(api_keys, Mapping)
    keys = None if api_keys is None or wrong else {name: _argument(f"api_keys[{name!r}]", key) for name, key in api_keys.items()}
    del api_keys
    with _own_frames_only():
        if wrong:
            message = "api_keys must be a map of provider to key, e.g. api_keys={'openai': …}"
            raise ConfigurationError(message, where="api_keys")
        for name, key in (keys or {}).items():
            _full(name, key, "api_keys")
        return keys, None if config is None else MeshConfig.of(config)


def _argument(source: str, key: object) -> Secret:
    return key if isinstance(key, Secret) else Secret(str(key or ""), source=source)


def _full(name: str, key: Secret, where: str) -> Secret:
    if not key:
        message = f"{where}[{name!r}] is empty; give the key, or leave the provider out"
        raise ConfigurationError(message, where=f"{where}[{name!r}]")
    return key


@contextmanager
def _own_frames_only() -> Iterator[None]:
    """Let our errors out without the frames below, whose variables may hold keys; their messages say what is needed."""
    try:
        yield
    except ModelMeshError as error:
        raise error.with_traceback(None) from error.__cause__


def _mesh(
    capabilities: tuple[str, ...],
    pool: str | None,
    providers: Providers | None,
    models: Sequence[str] | None,
    strategy: str,
    api_keys: dict[str, Secret] | None,
    config: MeshConfig | None,
    *,
    read_only: bool = False,
) -> ModelMesh:
    passed = None if strategy is _NOT_PASSED else str(strategy)
    models = [models] if isinstance(models, str) else models
    resolver = Resolver()
    mesh = ModelMesh(resolver=resolver)
    if config is not None and not config.is_overlay:
        _tell_ignored(providers=providers, models=models, api_keys=api_keys)
        if pool is not None and not capabilities:
            capabilities = (_predefined(pool),)
        mesh.initialize(config, strategy=passed, capabilities=capabilities, read_only=read_only)
        return mesh
    if config is not None and not capabilities and pool is None:
        capabilities = config.capabilities
    if pool is not None and capabilities:
        message = f"pool={pool!r} and the capabilities {', '.join(capabilities)} exclude each other; give one of the two"
        raise ConfigurationError(message)
    if pool is not None:
        capabilities = (_predefined(pool),)
    if not capabilities:
        message = "Specify capabilities, pool, or config"
        raise ConfigurationError(message)
    for name in capabilities:
        _check(name)
    names, options = _split(providers)
    own = {
        name: _full(name, _argument(f"providers[{name!r}]", settings.pop("api_key")), "providers")
        for name, settings in options.items()
        if "api_key" in settings
    }
    found = detect(resolver.catalog, providers=names, api_keys=api_keys, own_keys=own)
    assembled = {
        "providers": {one.name: _entry(one, _stated(one, options)) for one in found},
        "pools": {name: {"capability": name} for name in capabilities},
    }
    merged = MeshConfig({}) if config is None else config
    try:
        mesh.initialize(merged.replaced(**assembled, capabilities=None), strategy=passed, models=models, read_only=read_only)
    except ConfigurationError as error:
        if all(one.embedded for one in found):
            raise nothing_detected(resolver.catalog, error.message) from None
        raise
    return mesh


def _predefined(pool: str) -> str:
    if pool not in PREDEFINED_POOLS:
        known = ", ".join(PREDEFINED_POOLS)
        message = f"unknown pool {pool!r}.{did_you_mean(pool, PREDEFINED_POOLS)} The predefined pools are: {known}."
        raise ConfigurationError(message, where="pool")
    return pool


def _tell_ignored(**given: object) -> None:
    ignored = [name for name, value in given.items() if value is not None]
    if ignored:
        message = (
            f"{', '.join(ignored)} of create(): not acted on, for config names providers, models or pools itself; say it there"
        )
        warn(message, NotEnforcedWarning)


def _split(providers: Providers | None) -> tuple[list[str] | None, dict[str, dict[str, Any]]]:
    if providers is None:
        return None, {}
    if isinstance(providers, Mapping):
        given: Mapping[str, Any] = providers
        for name, settings in given.items():
            if settings is not None and not isinstance(settings, Mapping):
                message = f"providers[{name!r}] must be a map of settings, e.g. {{'api_key': …}}, not {type(settings).__name__}"
                raise ConfigurationError(message, where=f"providers[{name!r}]")
        return list(given), {name: dict(settings or {}) for name, settings in given.items()}
    return [providers] if isinstance(providers, str) else list(providers), {}


def _stated(one: DetectedProvider, options: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return what the caller said of a provider, under whichever of its names."""
    names = (one.name, one.connector_id)
    return next((said for name, said in options.items() if canonical_id(name, Kind.PROVIDER) in names), {})


def _entry(one: DetectedProvider, options: Mapping[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {"connector": one.connector_id, **options}
    if one.api_key is not None:
        entry["api_key"] = one.api_key
    if one.base_url is not None:
        entry["base_url"] = one.base_url
    return entry


def _check(name: Any) -> None:
    if not isinstance(name, str):
        message = f"a capability is a name, each an argument of its own: create('chat-completion', …), not {name!r}"
        raise ConfigurationError(message)
    tree = standard_tree()
    if tree.get_node(name) is not None or "." in name:
        return
    near = tree.suggest(name)
    hint = f" Did you mean {near!r}?" if near else ""
    message = (
        f"unknown capability {name!r}.{hint} List them: modelmesh capabilities. "
        "A pool of your own needs a configuration: create(config=…)."
    )
    raise also(CapabilityNotFoundError, ConfigurationError)(message, pool_name=name)
