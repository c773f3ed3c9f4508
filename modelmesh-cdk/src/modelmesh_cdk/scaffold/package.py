"""Plan of a package: its names and files, before any write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from attrs import frozen

from modelmesh_cdk.scaffold import names
from modelmesh_cdk.scaffold.rendering import Template, fill, import_line, kit_range, render


@frozen
class Package:
    """A planned package.

    Attributes:
        template: Template of its kind.
        distribution: Name of the distribution.
        connector_id: Connector ID.
        files: Text by relative path with ``/``, in order.
    """

    template: Template
    distribution: str
    connector_id: str
    files: Mapping[str, str]


def plan(
    template: Template,
    name: str,
    *,
    today: date,
    connector_id: str | None = None,
    license_expression: str | None = None,
    variable: str | None = None,
    base_url: str | None = None,
) -> Package:
    """Return the planned package of a connector.

    Args:
        template: Template of its kind.
        name: Short name, such as ``acme``.
        today: Date of dated data.
        connector_id: Replaces ``<name>.<service>.v1``.
        license_expression: SPDX expression for the metadata. By default the metadata has none.
        variable: Environment variable of a provider's key. By default ``<NAME>_API_KEY``.
        base_url: Base URL of a provider. By default an address that does not exist.

    Raises:
        BadNameError: A name is invalid or used.
    """
    names.check_name(name)
    distribution = names.check_distribution(f"{template.prefix}-{name}")
    connector_id = names.check_id(connector_id or f"{name}.{template.service}.v1", template.kind)
    package, cls = names.module_of(distribution), names.class_of(name, template.suffix)
    title = names.title_of(name)
    address = names.check_base_url(base_url or f"https://api.{name}.example/v1")
    values = {
        "name": name,
        "file_name": name.replace("-", "_"),
        "title": title,
        "distribution": distribution,
        "package": package,
        "module": template.module,
        "class": cls,
        "test_class": names.class_of(name, ""),
        "id": connector_id,
        "group": template.kind.group,
        "kind": template.kind.label,
        "description": fill(template.description, {"title": title}),
        "license": f'license = "{names.check_license(license_expression)}"\n' if license_expression is not None else "",
        "kit": f"modelmesh-cdk{kit_range()}",
        "kit_for_tests": f"modelmesh-cdk[testing]{kit_range()}",
        "core": f"modelmesh-core{kit_range()}",
        "import_from_module": import_line(f"{package}.{template.module}", cls),
        "import_from_package": import_line(package, cls),
        "variable": names.check_variable(variable or names.variable_of(name, "API_KEY")),
        "base_url_variable": names.variable_of(name, "BASE_URL"),
        "base_url": address,
        "api_version": names.version_of(address),
        "today": today.isoformat(),
    }
    return Package(template, distribution, connector_id, render(template, values))
