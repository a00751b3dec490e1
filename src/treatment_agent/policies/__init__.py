"""Pure rules over plain values: no I/O, no clock. Each rule has a stable id and one home."""
