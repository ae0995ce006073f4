"""The embedded server of a project: one real Temporal server and one worker, kept alive by one supervisor.

`connect.connect` is what a command calls; `condition` explains and stops; `supervisor` is the background process.
"""
