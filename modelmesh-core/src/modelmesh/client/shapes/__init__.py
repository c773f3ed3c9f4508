"""Types of the objects in replies and streams, one module for each resource of OpenAI's API.

The annotations serve type checkers, ``dir()`` and attribute access, which returns ``None`` for a known field that the vendor
left out. Nothing is validated: a vendor may send another type.
"""
