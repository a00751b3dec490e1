"""Adapters: each one speaks to the world behind one of the ports, and none of them decides anything."""
