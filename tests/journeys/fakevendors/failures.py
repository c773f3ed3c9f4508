"""Failures of vendors, with the vendors' own error texts.

Statuses and codes are those that the connectors state for their vendors.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from fakevendors.vendors import Vendor


@frozen
class Way:
    """One way to fail.

    Attributes:
        name: The name in the table.
        meaning: The behaviour of the vendor.
        billable: Whether such a call may have been billed.
        served: Whether the request reaches the vendor's HTTP server.
    """

    name: str
    meaning: str
    billable: bool = False
    served: bool = True


WAYS = {
    one.name: one
    for one in (
        Way("refused", "nothing listens at the address", served=False),
        Way("dns", "the host name has no address", served=False),
        Way("tls", "the certificate is of an unknown authority", served=False),
        Way("key", "the key is refused (401, or what the vendor answers instead)"),
        Way("forbidden", "403: the account may not do this"),
        Way("funds", "the money of the account is spent (402, or what the vendor answers instead)"),
        Way("gone", "404 for every model"),
        Way("throttled", "429 without a delay"),
        Way("throttled-long", "429 with Retry-After: 3600"),
        Way("error", "500", billable=True),
        Way("overloaded", "503, Anthropic 529", billable=True),
        Way("html", "200 with a page of HTML", billable=True),
        Way("empty", "200 with an empty body", billable=True),
        Way("hang", "no answer until the request's time is over", billable=True),
        Way("cut", "the connection closes before the first content", billable=True),
    )
}

PAGE = "<!doctype html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"


def refusal(way: str, vendor: Vendor) -> tuple[int, dict[str, str], Any]:
    """Return the status, headers and body of a failure that is a refusal."""
    if way == "funds" and vendor.name in _FUNDS:
        status, body = _FUNDS[vendor.name]
        return status, {}, body
    if way == "key" and vendor.name in _KEYS:
        status, body = _KEYS[vendor.name]
        return status, {}, body
    status, words, kind = _PLAIN[way]
    if way == "overloaded" and vendor.name == "anthropic":
        status = 529
    headers = {"retry-after": "3600"} if way == "throttled-long" else {}
    return status, headers, body_of(vendor, status, words, kind)


def body_of(vendor: Vendor, status: int, words: str, kind: str) -> Any:
    """Return an error's body in the vendor's shape."""
    if vendor.dialect == "anthropic":
        return {"type": "error", "error": {"type": _ANTHROPIC.get(status, "invalid_request_error"), "message": words}}
    if vendor.dialect == "gemini":
        return {"error": {"code": status, "message": words, "status": _GOOGLE.get(status, "INVALID_ARGUMENT")}}
    if vendor.dialect == "cohere" or vendor.name == "mistral":
        return {"message": words, "id": "test"}
    if vendor.name == "openrouter":
        return {"error": {"code": status, "message": words}}
    if vendor.name == "xai":
        return {"code": kind, "error": words}
    if vendor.name == "huggingface":
        return {"error": words}
    return {"error": {"message": words, "type": kind, "param": None, "code": kind}}


_PLAIN = {
    "key": (401, "Incorrect API key provided.", "invalid_api_key"),
    "forbidden": (403, "Your account is not allowed to do this.", "permission_denied"),
    "funds": (402, "Insufficient credits. Add more credits to continue.", "insufficient_quota"),
    "gone": (404, "The model does not exist or you do not have access to it.", "model_not_found"),
    "throttled": (429, "Rate limit reached. Please slow down.", "rate_limit_exceeded"),
    "throttled-long": (429, "Rate limit reached. Please slow down.", "rate_limit_exceeded"),
    "error": (500, "The server had an error while processing your request.", "server_error"),
    "overloaded": (503, "The engine is currently overloaded, please try again later.", "overloaded"),
}
_ANTHROPIC = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
_GOOGLE = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_KEYS: dict[str, tuple[int, Any]] = {
    "google": (
        400,
        {
            "error": {
                "code": 400,
                "message": "API key not valid. Please pass a valid API key.",
                "status": "INVALID_ARGUMENT",
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": "API_KEY_INVALID",
                        "domain": "googleapis.com",
                    }
                ],
            }
        },
    ),
    "xai": (400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: te***st."}),
    "mistral": (401, {"message": "Unauthorized", "request_id": "test"}),
}
_FUNDS: dict[str, tuple[int, Any]] = {
    "openai": (
        429,
        {
            "error": {
                "message": "You exceeded your current quota, please check your plan and billing details.",
                "type": "insufficient_quota",
                "param": None,
                "code": "insufficient_quota",
            }
        },
    ),
    "anthropic": (
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
            },
        },
    ),
    "deepseek": (
        402,
        {
            "error": {
                "message": "Insufficient Balance",
                "type": "unknown_error",
                "param": None,
                "code": "invalid_request_error",
            }
        },
    ),
    "fireworks": (
        412,
        {
            "error": {
                "object": "error",
                "type": "invalid_request_error",
                "code": "invalid_request_error",
                "message": "Account test is suspended, possibly due to reaching the monthly spending limit or failure to pay.",
            }
        },
    ),
    "xai": (
        403,
        {
            "code": "The caller does not have permission to execute the specified operation",
            "error": "Your team has either used all available credits or reached its monthly spending limit.",
        },
    ),
    "groq": (
        400,
        {
            "error": {
                "message": "Organization has reached its spend limit. Increase the limit to continue.",
                "type": "invalid_request_error",
                "code": "blocked_api_access",
            }
        },
    ),
}
