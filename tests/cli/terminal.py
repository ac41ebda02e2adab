# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a terminal of its own and prints what it showed there, a line each time the line was drawn anew.

terminal.py COLUMNS SECONDS COMMAND...: after SECONDS it gets a Ctrl-C. The first line is "exit CODE".
"""
import fcntl, os, pty, re, select, signal, struct, sys, termios, time, unicodedata

columns, seconds, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
pid, fd = pty.fork()
if pid == 0:
    os.environ.setdefault("TERM", "xterm")
    time.sleep(0.1)  # until the size is set
    os.execv(command[0], command)
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
shown, began, told = b"", time.time(), False
while True:
    if time.time() - began > seconds and not told:
        os.kill(pid, signal.SIGINT)
        told = True
    if not select.select([fd], [], [], 0.1)[0]:
        continue
    try:
        block = os.read(fd, 65536)
    except OSError:  # the terminal is gone with its last user
        break
    if not block:
        break
    shown += block
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print("exit", code)
for line in re.split(r"[\r\n]+", shown.decode("utf-8", "replace")):
    colors = len(re.findall(r"\x1b\[[0-9;]*m", line))
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line)
    width = sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain)
    if plain.strip():
        print("%d %s%s" % (width, "colored " if colors else "", plain))
