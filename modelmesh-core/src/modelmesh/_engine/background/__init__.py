"""What a mesh does beside the requests, in threads of its own: probes, discovery, and handing on what was counted.

``background`` runs jobs at intervals, ``probing`` asks whether accounts that are off are back, ``discovering`` does what the
findings of discovery connectors ask for, and ``jobs`` is all of it for one mesh.
"""

from modelmesh._engine.background.tasks import Beside

__all__ = ["Beside"]
