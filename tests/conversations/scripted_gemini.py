"""Scripted Gemini with signed calls: the first call of a step must return with its signature or with Google's placeholder."""

from __future__ import annotations

from typing import Any

from scripted import Say, Vendor, expect, unknown_keys

from modelmesh_cdk.testing import Received

PARAMETERS = "contents systemInstruction tools generationConfig"
STAND_IN = "skip_thought_signature_validator"


class Gemini(Vendor):
    name = "gemini"
    connector = "google.gemini.v1"
    model = "gemini-3.8-flash"

    def __init__(self) -> None:
        super().__init__()
        self.signed: dict[str, Any] = {}
        """Calls by signature."""

    def streams(self, received: Received) -> bool:
        return ":streamGenerateContent" in received.path

    def asked(self, body: dict[str, Any]) -> tuple[str, int]:
        unknown_keys(body, PARAMETERS, "body")
        waiting: list[tuple[Any, str]] = []
        asked, results = "", 0
        for place, content in enumerate(body["contents"]):
            expect(content["role"] in ("user", "model"), f"contents[{place}].role: {content['role']!r}")
            parts = content["parts"]
            expect(parts, f"contents[{place}]: must include at least one parts field")
            for part in parts:
                unknown_keys(part, "text thought thoughtSignature functionCall functionResponse", f"contents[{place}]")
            given = [part["functionResponse"] for part in parts if "functionResponse" in part]
            came = [(one.get("id"), one["name"]) for one in given]
            expect(came == waiting, f"contents[{place}]: function responses {came} for calls {waiting}")
            calls = [part["functionCall"] for part in parts if "functionCall" in part]
            waiting = [(call.get("id"), call["name"]) for call in calls]
            if calls:
                self._signature(parts, place)
            if content["role"] == "user":
                asked, results = (parts[-1]["text"], 0) if "text" in parts[-1] else (asked, results + len(given))
        return asked, results

    def _signature(self, parts: list[Any], place: int) -> None:
        first = next(part for part in parts if "functionCall" in part)
        signature = first.get("thoughtSignature")
        expect(signature, f"contents[{place}]: Function call is missing a thought_signature")
        ours = [call for call in self.signed.values() if call.get("id") == first["functionCall"].get("id")]
        if ours:
            expect(self.signed.get(signature) == first["functionCall"], f"contents[{place}]: Thought signature is not valid")
        else:
            expect(signature == STAND_IN, f"contents[{place}]: Corrupted thought signature")

    def whole(self, say: Say) -> dict[str, Any]:
        parts: list[Any] = [{"text": say.thought, "thought": True}]
        calls = [{"functionCall": {"id": f"fc{self.number()}", "name": name, "args": given}} for name, given in say.calls]
        signature = f"c2lnbmF0dXJl{self.number():04}"
        if calls:
            self.signed[signature] = calls[0]["functionCall"]
            calls[0]["thoughtSignature"] = signature
            parts += calls
        else:
            parts.append({"text": say.text, "thoughtSignature": signature})
        candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
        usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
        return {"candidates": [candidate], "modelVersion": self.model, "responseId": "resp-test", "usageMetadata": usage}

    def events(self, answer: dict[str, Any]) -> list[Any]:
        pieces: list[Any] = []
        for part in answer["candidates"][0]["content"]["parts"]:
            if "text" in part and "thoughtSignature" in part:  # the signature comes last, on a part without a text
                pieces += [{"text": part["text"]}, {"text": "", "thoughtSignature": part["thoughtSignature"]}]
            else:
                pieces.append(part)
        found = [{**answer, "candidates": [{"content": {"role": "model", "parts": [one]}, "index": 0}]} for one in pieces]
        found[-1]["candidates"][0]["finishReason"] = "STOP"
        return found
