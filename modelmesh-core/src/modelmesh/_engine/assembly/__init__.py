"""Assembly of a mesh from its configuration.

:mod:`.provider_entry` builds one provider and :mod:`.providers` finds them by name. :mod:`.model_catalog` collects their models,
:mod:`.pool_membership` assigns models to pools and :mod:`.model_joiner` adds models later. :mod:`.policies` converts sections
to the values that routing uses, :mod:`.sinks` builds sinks of events, and :mod:`.assembler` combines all parts.
"""
