"""Translation of Anthropic's Messages API.

Parameters, blocks and events are those of the anthropic package 2.11.0 (``types``), read 2026-11-30.
"""
