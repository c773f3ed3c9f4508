"""The ``create()`` functions: a client from capabilities, a pool or a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from attrs import evolve, frozen

from modelmesh._engine.autodetect import DetectedProvider, detect, embedded, nothing_detected
from modelmesh._engine.config import MeshConfig
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh._engine.foundation.notices import NotEnforcedWarning, warn
from modelmesh._engine.foundation.secret import Secret
from modelmesh._engine.foundation.suggestions import did_you_mean, suggestion
from modelmesh._engine.plugins.aliases import canonical_id
from modelmesh._engine.plugins.resolver import Resolver
from modelmesh.capabilities import PREDEFINED_POOLS
from modelmesh.capabilities.nodes import mesh_tree
from modelmesh.client.clients import MeshClient, ModelMesh, OpenAIClient
from modelmesh.errors import CapabilityNotFoundError, ConfigurationError, ModelMeshError, combined_error_class

if TYPE_CHECKING:
    from modelmesh.client import strict
    from modelmesh.client.strict import StrictMeshClient, StrictOpenAIClient
else:
    strict = LazyModule(globals(), "strict", "modelmesh.client.strict")

Providers: TypeAlias = Sequence[str] | Mapping[str, Mapping[str, Any] | None]
Config: TypeAlias = str | Mapping[str, Any] | MeshConfig


@overload
def create(
    *capabilities: str,
    pool: str | None = None,
    providers: Providers | None = None,
    models: Sequence[str] | None = None,
    strategy: str | None = None,
    api_keys: Mapping[str, str] | None = None,
    config: Config | None = None,
    strict_parameters: Literal[True],
) -> StrictMeshClient: ...


@overload
def create(
    *capabilities: str,
    pool: str | None = None,
    providers: Providers | None = None,
    models: Sequence[str] | None = None,
    strategy: str | None = None,
    api_keys: Mapping[str, str] | None = None,
    config: Config | None = None,
    strict_parameters: bool = False,
) -> MeshClient: ...


def create(
    *capabilities: str,
    pool: str | None = None,
    providers: Providers | None = None,
    models: Sequence[str] | None = None,
    strategy: str | None = None,
    api_keys: Mapping[str, str] | None = None,
    config: Config | None = None,
    strict_parameters: bool = False,
) -> MeshClient:
    """Create a synchronous client.

    The first of these that is given decides which pools there are: ``config``, ``pool``, ``capabilities``.

    Args:
        capabilities: Names such as ``chat-completion``. Each makes a pool of that name.
        pool: A predefined pool, e.g. ``text-generation``, or another capability, in place of capabilities.
        providers: Names to restrict detection to, or settings by name.
        models: Model IDs to restrict the pools to, with or without the provider before them.
        strategy: The strategy of every pool, by default ``stick-until-failure``. With ``config`` it replaces the pools' own.
        api_keys: Keys by provider name in place of the environment. Only these providers are used.
        config: A path to a YAML or JSON file, a dictionary, or a :class:`MeshConfig`. A configuration without providers,
            models and pools adds to what is detected.
        strict_parameters: Whether an unknown parameter of a call is an error, for type checkers and at run time.

    Returns:
        A client that is ready to use.

    Raises:
        ValueError: No capability, pool or configuration is given, or the configuration is wrong.
        RuntimeError: No provider was found.
        ConnectorError: A connector of the configuration cannot be used.
    """
    keys, settings = _mask_arguments(api_keys, config)
    del api_keys, config
    kind = strict.StrictMeshClient if strict_parameters else MeshClient
    with _own_frames_only():
        return kind(_Request(capabilities, pool, providers, models, strategy, keys, settings).mesh())


@overload
def create_async(
    *capabilities: str,
    pool: str | None = None,
    providers: Providers | None = None,
    models: Sequence[str] | None = None,
    strategy: str | None = None,
    api_keys: Mapping[str, str] | None = None,
    config: Config | None = None,
    strict_parameters: Literal[True],
) -> StrictOpenAIClient: ...


@overload
def create_async(
    *capabilities: str,
    pool: str | None = None,
    providers: Providers | None = None,
    models: Sequence[str] | None = None,
    strategy: str | None = None,
    api_keys: Mapping[str, str] | None = None,
    config: Config | None = None,
    strict_parameters: bool = False,
) -> OpenAIClient: ...


def create_async(
    *capabilities: str,
    pool: str | None = None,
    providers: Providers | None = None,
    models: Sequence[str] | None = None,
    strategy: str | None = None,
    api_keys: Mapping[str, str] | None = None,
    config: Config | None = None,
    strict_parameters: bool = False,
) -> OpenAIClient:
    """Create an asynchronous client, with the arguments and errors of :func:`create`."""
    keys, settings = _mask_arguments(api_keys, config)
    del api_keys, config
    kind = strict.StrictOpenAIClient if strict_parameters else OpenAIClient
    with _own_frames_only():
        return kind(_Request(capabilities, pool, providers, models, strategy, keys, settings).mesh())


def assemble(
    *capabilities: str,
    providers: Providers | None = None,
    strategy: str | None = None,
    config: Config | None = None,
    read_only: bool = True,
) -> ModelMesh:
    """Assemble the mesh of :func:`create` without its client.

    Arguments and errors are those of :func:`create`. With ``read_only``, the mesh neither loads nor saves state.
    """
    _, settings = _mask_arguments(None, config)
    del config
    with _own_frames_only():
        return _Request(capabilities, None, providers, None, strategy, None, settings).mesh(read_only=read_only)


def assemble_default_pools(config: Config | None = None, *, read_only: bool = False, loads_state: bool = True) -> ModelMesh:
    """Assemble the mesh of a server: one pool for every predefined pool that has a model, unless ``config`` names its pools.

    Args:
        config: As of :func:`create`. Without it, or without providers, models and pools in it, providers are detected. Models
            that need no key serve a process without keys.
        read_only: Neither load nor save state, and start no background task.
        loads_state: Load the stored state. The mesh of an earlier configuration hands its state over otherwise.

    Raises:
        ConfigurationError: The configuration cannot be used.
        NoProvidersError: No provider was found.
    """
    _, settings = _mask_arguments(None, config)
    del config
    with _own_frames_only():
        request = _Request((), None, None, None, None, None, settings, loads_state)
        if settings is None or (settings.is_overlay and not settings.capabilities):
            return request.with_default_pools(read_only=read_only)
        return request.mesh(read_only=read_only)


def _mask_arguments(api_keys: Mapping[str, str] | None, config: Any) -> tuple[dict[str, Secret] | None, MeshConfig | None]:
    """Wrap keys in secrets before anything can raise: a traceback may show the values of a frame."""
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
    """Raise ModelMesh's errors without the frames below, because their variables may contain keys."""
    try:
        yield
    except ModelMeshError as error:
        raise error.with_traceback(None) from error.__cause__


@frozen
class _Request:
    """The arguments of ``create()``."""

    capabilities: tuple[str, ...]
    pool: str | None
    providers: Providers | None
    models: Sequence[str] | None
    strategy: str | None
    api_keys: dict[str, Secret] | None
    config: MeshConfig | None
    loads_state: bool = True

    def mesh(self, *, read_only: bool = False) -> ModelMesh:
        """Assemble the mesh: as the configuration defines it, else of what is detected."""
        if self.config is not None and not self.config.is_overlay:
            return self._configured(self.config, read_only=read_only)
        return self._with_capabilities().detected(read_only=read_only)

    def _configured(self, config: MeshConfig, *, read_only: bool) -> ModelMesh:
        _warn_ignored(providers=self.providers, models=self.models, api_keys=self.api_keys)
        capabilities = self.capabilities
        if self.pool is not None and not capabilities:
            capabilities = (_predefined(self.pool),)
        mesh = ModelMesh()
        mesh.initialize(
            config, strategy=self.strategy, capabilities=capabilities, read_only=read_only, loads_state=self.loads_state
        )
        return mesh

    def _with_capabilities(self) -> _Request:
        """Return the request with its pools as capabilities.

        Raises:
            ConfigurationError: There is none, or ``pool`` and capabilities are both given.
        """
        capabilities, pool = self.capabilities, self.pool
        if self.config is not None and not capabilities and pool is None:
            capabilities = self.config.capabilities
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
        return evolve(self, capabilities=capabilities)

    def detected(self, *, read_only: bool) -> ModelMesh:
        """Assemble a mesh of the providers that the environment, ``api_keys`` and ``providers`` name."""
        names, options = _split(self.providers)
        own_keys = {
            name: _full(name, _argument(f"providers[{name!r}]", settings.pop("api_key")), "providers")
            for name, settings in options.items()
            if "api_key" in settings
        }
        resolver = Resolver()
        found = detect(
            resolver.catalog, providers=names, api_keys=self.api_keys, own_keys=own_keys, capabilities=self.capabilities
        )
        fallbacks = [one for one in found if one.embedded]
        if not fallbacks and names is None and self.api_keys is None:
            fallbacks = embedded(resolver.catalog)
        config = (self.config or MeshConfig({})).replaced(
            providers={one.name: _entry(one, _settings_of(one, options)) for one in found if not one.embedded},
            pools={name: {"capability": name} for name in self.capabilities},
            capabilities=None,
        )
        models = [self.models] if isinstance(self.models, str) else self.models
        mesh = ModelMesh(resolver=resolver)
        try:
            mesh.initialize(
                config,
                strategy=self.strategy,
                models=models,
                fallbacks={one.name: one.connector_id for one in fallbacks},
                read_only=read_only,
                loads_state=self.loads_state,
            )
        except ConfigurationError as error:
            if all(one.embedded for one in found):
                raise nothing_detected(resolver.catalog, error.message, self.capabilities) from None
            raise
        return mesh

    def with_default_pools(self, *, read_only: bool) -> ModelMesh:
        """Assemble a mesh of the detected providers, else of the models that need no key, with every pool that they serve."""
        resolver = Resolver()
        found = detect(resolver.catalog)
        try:
            return self.of_providers(resolver, found, read_only=read_only)
        except ConfigurationError as error:
            if not all(one.embedded for one in found):
                raise
            ready = [one for one in found if self._is_ready(resolver, one)]
            if len(ready) == len(found):
                raise  # the configuration is wrong
            if not ready:
                raise nothing_detected(resolver.catalog, error.message, ("chat-completion",)) from None
            return self.of_providers(resolver, ready, read_only=read_only)

    def of_providers(self, resolver: Resolver, found: Sequence[DetectedProvider], *, read_only: bool) -> ModelMesh:
        """Assemble a mesh of providers, with every predefined pool that has a model."""
        entries = {one.name: _entry(one, {}) for one in found}
        mesh = ModelMesh(resolver=resolver)
        mesh.initialize(
            (self.config or MeshConfig({})).replaced(providers=entries), read_only=read_only, loads_state=self.loads_state
        )
        return mesh

    def _is_ready(self, resolver: Resolver, one: DetectedProvider) -> bool:
        try:
            evolve(self, config=None).of_providers(resolver, [one], read_only=True).shutdown()
        except ConfigurationError:
            return False
        return True


def _predefined(pool: str) -> str:
    if pool not in PREDEFINED_POOLS and mesh_tree().get_node(pool) is None:
        known = ", ".join(PREDEFINED_POOLS)
        message = f"unknown pool {pool!r}.{did_you_mean(pool, PREDEFINED_POOLS)} The predefined pools are: {known}."
        raise ConfigurationError(message, where="pool")
    return pool


def _warn_ignored(**given: object) -> None:
    ignored = [name for name, value in given.items() if value is not None]
    if ignored:
        names = ", ".join(ignored)
        message = f"create(): {names} ignored, because config defines providers, models or pools. Set this in the configuration."
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


def _settings_of(one: DetectedProvider, options: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the caller's settings of a provider, under any of its names."""
    names = (one.name, one.connector_id)
    return next((settings for name, settings in options.items() if canonical_id(name, Kind.PROVIDER) in names), {})


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
    tree = mesh_tree()
    if tree.get_node(name) is not None or "." in name:
        return
    near = tree.suggest(name)
    hint = suggestion(near)
    message = (
        f"unknown capability {name!r}.{hint} List them: modelmesh capabilities. "
        "A pool of your own needs a configuration: create(config=…)."
    )
    raise combined_error_class(CapabilityNotFoundError, ConfigurationError)(message, pool_name=name)
