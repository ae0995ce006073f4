"""Asks the warm process of `warm.py` for one command, as the script that stands for `phaseloom`; ends as it ends.

It is started for every command, so it imports little.
"""

import os
import socket
import sys

_, door, *arguments = sys.argv
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect(door)
    socket.send_fds(asked, [b"."], [0, 1, 2])
    variables = [f"{name}={value}" for name, value in os.environ.items()]
    told = [os.getcwd(), str(len(arguments)), *arguments, *variables]  # noqa: PTH109 - pathlib takes its time
    asked.sendall("\0".join(told).encode(errors="surrogateescape"))
    asked.shutdown(socket.SHUT_WR)
    code = asked.recv(16)
sys.exit(int(code) if code else "the warm process has not told how the command ended")
