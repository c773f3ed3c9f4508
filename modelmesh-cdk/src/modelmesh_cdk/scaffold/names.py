"""Names of a package, derived from the kind and one short name."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from modelmesh._engine.plugins.known_distributions import distribution_for, distributions
from modelmesh.contracts import ConnectorId, Kind
from modelmesh_cdk.scaffold.errors import BadNameError
from modelmesh_cdk.wire.urls import join_api_root

LONGEST = 40
"""Largest length of a short name, which is part of file names, class names and the distribution's name."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LICENSE = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")
_URL = re.compile(r"[A-Za-z0-9:/?#\[\]@!&()*+,;=._~%-]+")


def check_name(name: str) -> str:
    """Return a valid short name.

    Args:
        name: For example ``acme`` or ``acme-cloud``.

    Raises:
        BadNameError: The name is invalid. The message suggests a valid one if possible.
    """
    if _NAME.fullmatch(name) and len(name) <= LONGEST:
        return name
    near = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower())
    near = re.sub(r"^[^a-z]+", "", near)[:LONGEST].strip("-")
    hint = f" Try: {near}" if near else ""
    message = (
        f"{name!r} is not a package name. A valid one looks like 'acme' or 'acme-cloud': lower-case letters and digits, words "
        f"joined by single hyphens, a letter first, {LONGEST} characters at most.{hint}"
    )
    raise BadNameError(message, field="name")


def check_distribution(distribution: str) -> str:
    """Return the name of a distribution that ModelMesh does not publish.

    Raises:
        BadNameError: ModelMesh publishes a distribution of that name.
    """
    if distribution in distributions():
        message = (
            f"{distribution} is published by ModelMesh already. Use it: pip install {distribution} - or choose another name, "
            "e.g. one with your company's in front"
        )
        raise BadNameError(message, field="name")
    return distribution


def check_id(connector_id: str, kind: Kind) -> str:
    """Return a valid connector ID that no connector of ModelMesh has.

    Raises:
        BadNameError: The ID is invalid or used.
    """
    try:
        ConnectorId.parse(connector_id)
    except ValueError as error:
        message = f"{error}. Choose another one: --id"
        raise BadNameError(message, field="id") from None
    owner = distribution_for(connector_id, kind)
    if owner is not None:
        message = (
            f"{connector_id!r} is the ID of {owner}, and a mesh rejects an ID of two installed packages. Choose another one: --id"
        )
        raise BadNameError(message, field="id")
    return connector_id


def check_variable(variable: str) -> str:
    """Return a valid name of an environment variable.

    Raises:
        BadNameError: The name is invalid.
    """
    if _VARIABLE.fullmatch(variable):
        return variable
    message = (
        f"{variable!r} is not a variable name. A valid one looks like 'ACME_API_KEY': letters, digits and '_', no digit first"
    )
    raise BadNameError(message, field="variable")


def check_base_url(address: str) -> str:
    """Return the base URL of an API.

    Raises:
        BadNameError: The URL is not an http(s) URL, has a user, a query or a fragment, or has a path without a version.
    """
    try:
        parts = urlsplit(address)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        right = False
    if right and _URL.fullmatch(address) and not set("?#@") & set(address):
        address = address.rstrip("/")
        if not urlsplit(address).path or join_api_root(address) == address:
            return address
        message = (
            f"{address!r} has a path without a version, so that its optional part is ambiguous. Give it "
            f"with the version, e.g. {address}/v1, or omit it and override _resolve_api_root() in provider.py"
        )
        raise BadNameError(message, field="base_url")
    message = (
        f"{address!r} is not the URL of an API. A valid one looks like 'https://api.acme.example/v1': http or https, a host, an "
        "optional path, and no user, query or fragment"
    )
    raise BadNameError(message, field="base_url")


def check_license(expression: str) -> str:
    """Return a text in the form of an SPDX license expression. The build backend checks the names of licenses.

    Raises:
        BadNameError: The expression is malformed.
    """
    if _LICENSE.fullmatch(expression):
        return expression
    message = f"{expression!r} is not an SPDX license expression. A valid one looks like 'MIT' or 'MIT OR Apache-2.0'"
    raise BadNameError(message, field="license")


def version_of(address: str) -> str:
    """Return the class attribute for the API's version path, or an empty text for the default ``/v1``."""
    path = urlsplit(address).path
    return "" if path in ("", "/v1") else f'    api_version = "{path}"\n'


def title_of(name: str) -> str:
    """Return a short name in title case: ``Acme Cloud``."""
    return " ".join(word.capitalize() for word in name.split("-"))


def class_of(name: str, suffix: str) -> str:
    """Return a class name: ``AcmeCloudProvider``. A name that pytest would collect gets the prefix ``My``."""
    called = "".join(word.capitalize() for word in name.split("-")) + suffix
    return f"My{called}" if called.startswith("Test") else called


def module_of(distribution: str) -> str:
    """Return the import name of a distribution: ``modelmesh_connector_acme_cloud``."""
    return distribution.replace("-", "_")


def variable_of(name: str, what: str) -> str:
    """Return the name of an environment variable: ``ACME_CLOUD_API_KEY``."""
    return f"{name.replace('-', '_').upper()}_{what}"
