"""Measuring: labelled messages, what the coordinator makes of them, and figures with intervals."""
