"""The native library: how it is started, and what becomes of its failures.

Facts about xllamacpp are those of version 2026.10.11549, tried on 2026-11-21.
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
from modelmesh_connector_local.forks import keep_in_child
from modelmesh_connector_local.weights import INSTALL

ERRORS_ONLY = 1
"""Verbosity at which the library writes errors to standard error, and nothing else."""
BATCH = 128
"""Tokens of prompt between two calls back, which are the only points at which reading a prompt can be stopped."""


def load(config: LocalConfig, weights: Path) -> Any:
    """Load the model; takes a fraction of a second for the default one, and other threads stand still meanwhile.

    Returns:
        An ``xllamacpp.Server``. It frees the model when it is dropped.

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
        params.fit_params = config.model_path is not None  # a trial load, of use only where memory may be short
        params.cache_ram_mib = 0  # old prompts are not kept in up to 8 GiB of memory
        _seal(params)
        return keep_in_child(library.Server(params))
    except Exception as error:  # noqa: BLE001 - whatever a native library raises
        cure = "check model_path" if config.model_path else f"get the weights again: {INSTALL}"
        message = (
            f"the local model could not be loaded from {weights}: {type(error).__name__}: {error} "
            f"The library's own words are on standard error. If the file is not a whole GGUF model, {cure}."
        )
        raise ProviderInitError(message, failure=FailureClass.CONNECTOR_BUG) from None


def _seal(params: Any) -> None:
    """Lock the HTTP server that the library opens on a loopback port, unasked and for every web page to use."""
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [secrets.token_urlsafe(32)]
    params.cors_origins = ""
    params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    params.n_threads_http = 1


def refused(body: Mapping[str, Any]) -> ProviderError:
    """Return the error of an error that the library returned."""
    error = body.get("error")
    said: Mapping[str, Any] = error if isinstance(error, Mapping) else {"message": str(error)}
    status, code, text = said.get("code"), str(said.get("type") or ""), said.get("message")
    if code == "exceed_context_size_error":
        message = f"the local model cannot hold it: {text}. Shorten the messages, or give the provider a larger n_ctx."
        return provider_error(FailureClass.CAPABILITY, message, status=400, code="context_length_exceeded", body=dict(body))
    if isinstance(status, int) and 400 <= status < 500:  # noqa: PLR2004 - the 4xx range
        message = f"the local model refused the request: {text}"
        return provider_error(FailureClass.REFUSED, message, status=status, code=code or None, body=dict(body))
    message = f"the local model failed: {text}"
    return provider_error(FailureClass.SERVER, message, status=500, code=code or None, body=dict(body))


def raised(error: BaseException) -> ModelMeshError:
    """Return the error of an exception that came out of the library.

    It reads the request before it computes: then it raises ``ValueError`` and ``TypeError`` for what it cannot read, and
    ``RuntimeError`` for messages that are not shaped like messages.
    """
    if isinstance(error, ProviderError | ConfigurationError):
        return error
    if isinstance(error, ValueError | TypeError) or "parse messages" in str(error):
        return provider_error(FailureClass.CALLER, f"the local model cannot read the request: {error}", status=400)
    return provider_error(FailureClass.SERVER, f"the local model failed: {type(error).__name__}: {error}", status=500)
