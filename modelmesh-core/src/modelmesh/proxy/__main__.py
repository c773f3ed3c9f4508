"""``python -m modelmesh.proxy``: the command ``modelmesh serve``, of ``modelmesh-proxy``."""

import runpy
import sys

if __name__ == "__main__":
    try:
        runpy.run_module("modelmesh_proxy", run_name="__main__", alter_sys=True)
    except ImportError as error:
        if "modelmesh_proxy" not in str(error):
            raise
        sys.stderr.write("python -m modelmesh.proxy needs modelmesh-proxy: pip install modelmesh-proxy\n")
        raise SystemExit(2) from None
