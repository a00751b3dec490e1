"""The bundled demo: an invented practice, Maple Dental, and two simulated weeks of its life."""
