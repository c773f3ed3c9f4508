"""Tables of the hooks that a provider connector may override."""

from __future__ import annotations

from markdown import table

from modelmesh_cdk import BaseProvider
from modelmesh_cdk.provider.declared_hooks import describe_hooks


def hooks(_: str) -> str:
    """Return a table for each subject."""
    parts = []
    for subject, found in describe_hooks(BaseProvider):
        rows = [f"| `{one.name}` | `{_cell(one.signature)}` | {_cell(one.purpose)} |" for one in found]
        parts.append(f"## {subject}\n\n{table(('hook', 'signature or type', 'purpose'), rows)}")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("``", "`").replace("|", r"\|")
