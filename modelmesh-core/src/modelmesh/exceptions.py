"""Alias of :mod:`modelmesh.errors`, by the module name of the project's documents."""

from modelmesh.errors import *  # noqa: F403 - every name of __all__
from modelmesh.errors import __all__  # noqa: F401 - of this module too
