"""``python -m modelmesh.cli``."""

from modelmesh.cli import main

main()
