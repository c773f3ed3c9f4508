"""Forms as Mistral reads them."""

from __future__ import annotations

from typing import ClassVar

from modelmesh_cdk import OperationCodec


class MistralForm(OperationCodec):
    """A form whose lists repeat the name of the parameter (mistralai 3.7.0, ``client/utils/forms.py``, read 2026-11-30)."""

    list_suffix: ClassVar[str] = ""
