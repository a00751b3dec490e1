"""Benchmarks: each prints a table of what was measured side by side in one run. Nothing here passes or fails.

make bench                       all of them
make bench ARGS="turns"          one of: turns, worklist, startup, guards (needs other packages; it says which)
make bench ARGS="turns --quick"  fewer rounds, to see that it works
"""
