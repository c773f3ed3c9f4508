"""Assembly of a mesh from its configuration.

:mod:`.providers` builds the providers, :mod:`.model_catalog` collects their models and assigns them to pools,
:mod:`.model_joiner` adds models later, :mod:`.policies` converts sections to the values that routing uses, :mod:`.sinks` builds
sinks of events, and :mod:`.assembler` combines all parts.
"""
