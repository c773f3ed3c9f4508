"""Codecs that the first request of such an operation imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh_cdk.provider.operation_codec import OperationCodec


class LazyCodecs(Mapping[str, "OperationCodec"]):
    """The codecs of a module, which is imported when one of them is needed. Most meshes send chat completions only.

    Example:
        ::

            class AcmeProvider(OpenAICompatibleProvider):
                operation_codecs = LazyCodecs("acme_connector.media")  # where CODECS = {"audio.speech": AcmeSpeech()}
    """

    def __init__(self, module: str) -> None:
        """Store the name. Nothing is imported.

        Args:
            module: Name of the module with the mapping ``CODECS``.
        """
        self._module = module

    def _codecs(self) -> Mapping[str, OperationCodec]:
        found: Mapping[str, OperationCodec] = import_module(self._module).CODECS
        return found

    def __getitem__(self, name: str) -> OperationCodec:
        return self._codecs()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._codecs())

    def __len__(self) -> int:
        return len(self._codecs())
