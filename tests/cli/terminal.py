"""A command at a terminal of its own, of 24 lines: prints what the person sees, ends as it does.

    terminal.py AWAITED KEYS COMMAND ARGUMENT...

KEYS are typed once AWAITED was said; where both are empty, nothing is.
"""

import fcntl
import os
import pty
import struct
import sys
import termios

awaited, keys, *command = sys.argv[1:]
size = struct.pack("HHHH", 24, 80, 0, 0)
ready, go = os.pipe()
child, terminal = pty.fork()
if child == 0:
    os.close(go)
    os.read(ready, 1)
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
os.close(ready)
os.close(go)
said = b""
while True:
    try:
        more = os.read(terminal, 65536)
    except OSError:
        more = b""
    if more == b"":
        break
    said += more
    if keys and awaited.encode() in said:
        os.write(terminal, keys.encode())
        keys = ""
sys.stdout.buffer.write(said)
sys.stdout.buffer.flush()
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
