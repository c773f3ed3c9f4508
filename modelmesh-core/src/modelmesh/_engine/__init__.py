"""Private implementation of ModelMesh. Anything in this package may change in any release; plugins must not import it.

The folders are layers, lowest first. A module imports only from its own layer and from lower ones, type-only imports
included (``lint-imports`` in ``pyproject.toml`` enforces the order):

============================================  ============================================================
``foundation``                                failure classes, attempts, IDs, secrets, units, clock
:mod:`modelmesh.contracts`                    interfaces and value types of plugins (public)
:mod:`modelmesh.capabilities`                 the capability tree (public)
``plugins``                                   discovery, import and validation of connectors
``limits``, ``health``                        quotas, budgets and costs; circuit breakers and cooldowns
``translation``                               other request formats to chat completions and back
``routing``                                   pools, candidate selection, failover flow
``execution``                                 synchronous and asynchronous drivers of the flow
``telemetry``, ``state``, ``background``      events and statistics; persisted state; background tasks
``config``, ``assembly``                      configuration; construction of a mesh from a configuration
``mesh``                                      one mesh: requests, life cycle, read-only views, manual control
:mod:`modelmesh.client`                       OpenAI-compatible clients and :class:`ModelMesh` (public)
``autodetect``, ``create``                    detection of providers; the ``create()`` functions
:mod:`modelmesh.testing`, :mod:`modelmesh.cli` mock client (public); command line
============================================  ============================================================

``docs/explanation/architecture.md`` names the file for each subject.
"""
