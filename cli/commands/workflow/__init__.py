"""`phaseloom workflow …`: definitions that can be started, and everything that can be done to a run."""
