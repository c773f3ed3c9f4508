"""From a configuration to the parts of a mesh.

:mod:`.accounts` builds the providers, :mod:`.membership` finds their models and puts them into pools,
:mod:`.policies` turns sections into numbers, :mod:`.sinks` builds what listens.
"""
