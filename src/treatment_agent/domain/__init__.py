"""Plain values: what the rest of the package talks about. Imports nothing of ours but `errors`."""
