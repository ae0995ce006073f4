"""What the commands say: pure functions from plans, facts, views and answers to lines of text."""
