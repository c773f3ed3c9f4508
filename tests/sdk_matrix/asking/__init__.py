"""The matrix: one list of questions, and one module a vendor that asks them in the vendor's own form through its own SDK."""
