"""Translation of Google's ``generateContent``.

Fields, enumerations and JSON names are those of the google-genai package 3.4.0 (``types``, ``models``), read 2026-11-30. Requests
may use camel case or underscores, as with Google. Google's connector receives the caller's own body.
"""
