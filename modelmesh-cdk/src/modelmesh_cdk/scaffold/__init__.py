"""``modelmesh new``: a package for a connector of one's own, complete and with tests that pass at once.

=============  ======================================================================
``names``      what a package is called, all of it made from one short name
``templates``  a folder for each kind; a kind is added by adding a folder
``rendering``  the folder of a kind, with the names filled in
``package``    what would be written, decided before the disk is touched
``writing``    all files at the target, or none
``commands``   the command line; nothing else imports it
=============  ======================================================================

The kit brings the command itself, through the hook ``modelmesh_cli_commands``: templates, base classes and the versions
that a new package asks for change together, and core goes on knowing of no kit.
"""
