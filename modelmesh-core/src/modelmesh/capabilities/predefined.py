"""Predefined pools of ``create(pool=…)``."""

PREDEFINED_POOLS: dict[str, str] = {
    "text-generation": "generation.text-generation",
    "structured-generation": "generation.structured-generation",
    "image-generation": "generation.image",
    "embeddings": "representation.embeddings",
    "speech-to-text": "understanding.audio.speech-to-text",
    "text-to-speech": "generation.audio.text-to-speech",
    "vision-understanding": "understanding.vision-understanding",
}
