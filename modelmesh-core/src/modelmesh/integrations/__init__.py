"""Official SDKs and frameworks over a mesh, in the process: no socket, no key."""
