"""One mesh: its shared core, request server, life cycle, read-only views and manual control.

:class:`MeshEngine` is everything of :class:`modelmesh.ModelMesh` but the clients, which are a layer above. Its duties:

==============  ==========================================================================
``core``        lock, clock, health, limits and drivers, which exist before a configuration
``running``     what an assembled configuration adds: start, stop, fork handling
``requests``    serving of the clients' requests and streams
``inspection``  read-only views: pools, limits, dry runs
``manual``      rotation and recovery on request of a person
==============  ==========================================================================
"""

from modelmesh._engine.mesh.engine import MeshEngine
from modelmesh._engine.mesh.running import NotInitializedError

__all__ = ["MeshEngine", "NotInitializedError"]
