"""Names of the files of the page ``/ui``, which the table of routes opens one by one.

They contain no data. A browser needs them to show the sign-in, before it has a token.
"""

PAGE_FILES = (
    "api.js",
    "app.js",
    "dom.js",
    "favicon.svg",
    "format.js",
    "style.css",
    "views/configuration.js",
    "views/limits.js",
    "views/live.js",
    "views/overview.js",
    "views/playground.js",
    "views/pools.js",
    "views/tokens.js",
)
