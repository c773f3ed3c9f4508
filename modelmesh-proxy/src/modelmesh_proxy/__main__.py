"""``python -m modelmesh_proxy`` and ``python -m modelmesh.proxy``: the command ``modelmesh serve``."""

import sys

from modelmesh.cli import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
