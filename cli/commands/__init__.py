"""The commands, one file per noun. What a command does not need for its own help is imported inside it."""
