"""The offline audit of a Python repository: what the agents of the catalog's `comprehensive-audit` run.

Five stages (`main.py` chooses): preparation, security, performance, quality, report. The tree is only read, never
executed; external tools run isolated from its configuration, and a tool that did not run is named as such.
"""
