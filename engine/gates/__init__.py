"""Gates: what must hold before control leaves a phase. Checks run first, then people decide."""
