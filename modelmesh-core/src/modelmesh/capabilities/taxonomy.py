"""The capability tree and its alias paths, as data."""

from __future__ import annotations

from typing import Any

# Canonical names. An empty mapping is a leaf.
TAXONOMY: dict[str, Any] = {
    "generation": {
        "text-generation": {"chat-completion": {}, "text-completion": {}, "code-generation": {}},
        "structured-generation": {"json-generation": {}, "schema-constrained-output": {}, "function-call-generation": {}},
        "image": {"text-to-image": {}, "image-to-image": {}, "inpainting": {}},
        "audio": {"text-to-speech": {}, "music-generation": {}},
        "video-generation": {"text-to-video": {}, "image-to-video": {}},
    },
    "understanding": {
        "text-understanding": {"summarization": {}, "classification": {}, "sentiment-analysis": {}, "entity-extraction": {}},
        "vision-understanding": {"image-captioning": {}, "object-detection": {}, "ocr": {}},
        "audio": {"speech-to-text": {}, "speaker-identification": {}, "audio-classification": {}},
        "document-understanding": {
            "document-parsing": {},
            "table-extraction": {},
            "form-extraction": {},
            "content-extraction": {},
        },
    },
    "transformation": {
        "translation": {},
        "rewriting": {},
        "style-transfer": {},
        "image-editing": {"background-removal": {}, "upscaling": {}, "format-conversion": {}},
        "audio-processing": {"noise-reduction": {}, "voice-cloning": {}, "audio-separation": {}},
    },
    "representation": {
        "embeddings": {"text-embeddings": {}, "image-embeddings": {}, "multimodal-embeddings": {}},
        "image": {"image-to-text": {}},
        "tokenization": {},
        "feature-extraction": {},
    },
    "retrieval": {
        "search": {"semantic-search": {}, "web-search": {}, "image-search": {}, "code-search": {}},
        "knowledge-graph": {"graph-query": {}, "entity-linking": {}, "relation-extraction": {}},
        "rag": {"retrieval-augmented-generation": {}, "grounded-generation": {}},
        "reranking": {},
    },
    "interaction": {
        "tool-calling": {},
        "multi-turn-conversation": {},
        "realtime-conversation": {},
        "agent-execution": {"single-step-agent": {}, "multi-step-agent": {}},
    },
    "evaluation": {"content-moderation": {}, "toxicity-detection": {}, "factuality-checking": {}, "quality-scoring": {}},
}

# Aliases of one segment by the path of its node.
SEGMENT_ALIASES: dict[str, tuple[str, ...]] = {
    "generation.image": ("image-generation",),
    "generation.audio": ("audio-generation",),
    "generation.video-generation": ("video",),
    "understanding.audio": ("audio-understanding",),
    "understanding.vision-understanding": ("vision",),
    "understanding.document-understanding": ("document",),
}

# Canonical paths by alias of the whole node.
NAME_ALIASES: dict[str, str] = {
    "chat": "generation.text-generation.chat-completion",
    "moderation": "evaluation.content-moderation",
    "realtime": "interaction.realtime-conversation",
    "tts": "generation.audio.text-to-speech",
    "stt": "understanding.audio.speech-to-text",
}

# Segments of canonical paths that are ambiguous alone.
NOT_SHORT_NAMES = frozenset({"audio", "image", "video"})

# Canonical paths by a path that documents use, although it contains a node that is not an ancestor.
PATH_ALIASES: dict[str, str] = {
    "translation.text": "transformation.translation",
    "document.parse": "understanding.document-understanding.document-parsing",
    "representation.audio.speech-to-text": "understanding.audio.speech-to-text",
    "retrieval.semantic-search.web-search": "retrieval.search.web-search",
    "retrieval.grounded-generation.web-search": "retrieval.search.web-search",
}

# A pool of the key also accepts models of the values, which are elsewhere in the tree.
ALSO_UNDER: dict[str, tuple[str, ...]] = {
    "understanding.vision-understanding": ("representation.image.image-to-text",),
    "representation.image.image-to-text": ("understanding.vision-understanding.image-captioning",),
}
