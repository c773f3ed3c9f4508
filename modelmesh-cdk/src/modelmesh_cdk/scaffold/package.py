"""A package that could be written: its names and its files, decided before the disk is touched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from attrs import frozen

from modelmesh_cdk.scaffold import names
from modelmesh_cdk.scaffold.rendering import Template, fill, import_line, kit_range, render


@frozen
class Package:
    """What a new package is made of.

    Attributes:
        template: Its kind.
        distribution: What ``pip install`` takes.
        connector_id: What configurations name.
        files: Text by path, in order; paths are relative and use ``/``.
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
    """Return the package of a connector.

    Args:
        template: Which kind.
        name: Short name, e.g. ``acme``.
        today: The day that goes into dated data.
        connector_id: In place of ``<name>.<service>.v1``.
        license_expression: SPDX expression for the metadata; none is written by default.
        variable: Of a provider, where its key is found; ``<NAME>_API_KEY`` by default.
        base_url: Of a provider, where its API stands; an address that leads nowhere by default.

    Raises:
        BadNameError: One of these does not follow its grammar, or is taken.
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
