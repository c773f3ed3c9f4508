"""Translation of the legacy text completions.

Parameters and chunks are those of the openai package 3.52.0 (``types/completion*.py``), read 2026-11-30.
"""
