"""Memory, arrays and vectors."""
