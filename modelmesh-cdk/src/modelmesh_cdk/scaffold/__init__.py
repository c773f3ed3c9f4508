"""``modelmesh new``: creates the package of a connector, with tests that pass at once.

=============  ======================================================================
``names``      names of a package, all derived from one short name
``templates``  a folder for each kind of connector
``rendering``  rendering of the templates of a kind
``package``    the planned files, before any write
``writing``    writes all files or none
``commands``   the command line, which no other module imports
=============  ======================================================================

The kit adds the command through the hook ``modelmesh_cli_commands``, so that core does not depend on the kit. Templates,
base classes and required versions change together.
"""
