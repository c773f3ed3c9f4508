"""The OpenAPI document of the proxy, generated from the operations table and the types of the parameters."""
