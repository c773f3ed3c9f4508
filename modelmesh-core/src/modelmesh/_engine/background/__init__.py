"""Background tasks: work that a mesh does outside of requests, in threads of its own.

:mod:`.scheduler` runs jobs at intervals, :mod:`.probes` checks unavailable accounts, :mod:`.discovery` applies the findings of
discovery connectors, :mod:`.late_providers` retries providers that could not list their models, and :mod:`.tasks` combines
them for one mesh. :mod:`.plan` states what the assembly provides.
"""
