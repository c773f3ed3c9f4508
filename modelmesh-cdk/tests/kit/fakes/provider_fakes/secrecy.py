"""Providers that expose or misplace the key."""

from __future__ import annotations

import json

from provider_fakes.honest import Honest, Sends


class SendsTheKeyElsewhere(Honest):
    def _build_headers(self):
        return {"X-Key": self.api_key.reveal()}


class SendsTheKeyInTheBody(Sends):
    def write(self, payload):
        return {**payload, "user": self.api_key.reveal()}


class ShowsTheKey(Honest):
    def __repr__(self) -> str:
        return f"ShowsTheKey({self.api_key.reveal()})"


class KeepsTheEchoedKey(Honest):
    def _map_error_response(self, status, headers, raw):
        error = super()._map_error_response(status, headers, raw)
        error.body = json.loads(raw)
        return error


class NotesTheKey(Honest):
    def _build_request_payload(self, request):
        request.adapted.append(f"authorized as {self.api_key.reveal()}")
        return super()._build_request_payload(request)


class NeedsNoKey(Honest):
    requires_key = False


class SendsAnEmptyKey(Honest):
    requires_key = False
    kit = {"needs_key": False}

    def _build_headers(self):
        return {"Authorization": "Bearer ", **super()._build_headers()}


FAKES: list[tuple[type, str]] = [
    (SendsTheKeyElsewhere, "test_key_is_sent"),
    (SendsTheKeyInTheBody, "test_key_is_sent_in_one_header"),
    (ShowsTheKey, "test_key_is_in_no_repr"),
    (KeepsTheEchoedKey, "test_key_is_in_no_error"),
    (NotesTheKey, "test_key_is_in_no_adaptation_note"),
    (NeedsNoKey, "test_key_missing_names_the_variable"),
    (SendsAnEmptyKey, "test_key_missing_names_the_variable"),
]
