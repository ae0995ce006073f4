"""The shared context of a run: values by key, each belonging to somebody, every change of them a version."""
