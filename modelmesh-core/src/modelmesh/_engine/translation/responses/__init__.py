"""Translation of OpenAI's Responses API.

Parameters, items and events are those of the openai package 3.52.0 (``types/responses``), read 2026-11-30.
"""
