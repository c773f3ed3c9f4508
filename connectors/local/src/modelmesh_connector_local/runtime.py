"""The native library: loading of the model and mapping of its errors.

Facts about xllamacpp are those of version 2026.10.11549, tested on 2026-11-21.
"""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh.errors import ConfigurationError, ModelMeshError, ProviderError, ProviderInitError
from modelmesh_cdk import provider_error
from modelmesh_connector_local.config import LocalConfig
from modelmesh_connector_local.weights import INSTALL

ERRORS_ONLY = 1
"""Verbosity at which the library writes only errors to standard error."""
BATCH = 128
"""Prompt tokens between two callbacks. Prompt processing can only be stopped at a callback."""


def load(config: LocalConfig, weights: Path) -> Any:
    """Load the model. The default model takes a fraction of a second, during which other threads are blocked.

    Returns:
        An ``xllamacpp.Server``. Its destructor frees the model.

    Raises:
        ProviderInitError: The library cannot be imported, or cannot read the file.
    """
    try:
        library = importlib.import_module("xllamacpp")
        params = library.CommonParams()
        params.model.path = str(weights)
        params.model_alias = {config.name}
        params.n_ctx = config.n_ctx
        params.n_batch = params.n_ubatch = BATCH
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config.threads
        params.verbosity = ERRORS_ONLY
        params.warmup = False
        params.fit_params = config.model_path is not None  # a test load, useful only if memory may be insufficient
        params.cache_ram_mib = 0  # no cache of old prompts, which takes up to 8 GiB of memory
        _lock_http_server(params)
        return library.Server(params)
    except Exception as error:  # noqa: BLE001 - a native library may raise anything
        action = "check model_path" if config.model_path else f"install the weights again: {INSTALL}"
        message = (
            f"the local model could not be loaded from {weights}: {type(error).__name__}: {error} "
            f"Standard error contains the library's message. If the file is not a complete GGUF model, {action}."
        )
        raise ProviderInitError(message, failure=FailureClass.CONNECTOR_BUG) from None


def _lock_http_server(params: Any) -> None:
    """Lock the HTTP server that the library always opens on a loopback port, so that web pages cannot use it."""
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [secrets.token_urlsafe(32)]
    params.cors_origins = ""
    params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    params.n_threads_http = 1


def error_from_body(body: Mapping[str, Any]) -> ProviderError:
    """Map an error body of the library to a provider error."""
    error = body.get("error")
    details: Mapping[str, Any] = error if isinstance(error, Mapping) else {"message": str(error)}
    status, code, text = details.get("code"), str(details.get("type") or ""), details.get("message")
    if code == "exceed_context_size_error":
        message = f"the request exceeds the local model's context: {text}. Shorten the messages, or configure a larger n_ctx."
        return provider_error(FailureClass.CAPABILITY, message, status=400, code="context_length_exceeded", body=dict(body))
    if isinstance(status, int) and 400 <= status < 500:  # noqa: PLR2004 - the 4xx range
        message = f"the local model rejected the request: {text}"
        return provider_error(FailureClass.REFUSED, message, status=status, code=code or None, body=dict(body))
    message = f"the local model failed: {text}"
    return provider_error(FailureClass.SERVER, message, status=500, code=code or None, body=dict(body))


def error_from_exception(error: BaseException) -> ModelMeshError:
    """Map an exception of the library to a provider error.

    The library validates the request first. It raises ``ValueError`` and ``TypeError`` for invalid values, and
    ``RuntimeError`` for messages with an invalid format.
    """
    if isinstance(error, ProviderError | ConfigurationError):
        return error
    if isinstance(error, ValueError | TypeError) or "parse messages" in str(error):
        return provider_error(FailureClass.CALLER, f"the local model cannot parse the request: {error}", status=400)
    return provider_error(FailureClass.SERVER, f"the local model failed: {type(error).__name__}: {error}", status=500)
