"""How a command reaches a run: which project, which server, which run, and how messages and questions get there."""
