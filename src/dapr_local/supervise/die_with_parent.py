"""Executes a program that ends when its parent does: `die_with_parent.py PARENT SIGNAL UID GID PROGRAM [ARGUMENT]…`.

A bare interpreter runs it between the runner and the program: the runner has threads, for instance gRPC's, which
make it unsafe to run Python code between fork and exec. On Linux the kernel sends SIGNAL when the parent has died;
elsewhere nothing does. UID and GID are those to step down to, or empty.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Step down, bind to the parent, and become the program; exit code 127 when it cannot be executed."""
    parent, signum, uid, gid, *argv = sys.argv[1:]
    if uid:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    # After the change of account, which would undo it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signum))
    if os.getppid() != int(parent):
        sys.exit(1)
    # A runner in a shell's background has it ignored, and that is inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execv(argv[0], argv)  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"{argv[0]} cannot be executed: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()
