"""Lets a training loop be suspended by ccsched and go on later, anywhere.

    import ccsched_checkpoint

    guard = ccsched_checkpoint.Guard()
    state = load(guard.resume_from) if guard.resume_from else fresh()
    for step in range(state.step, steps):
        train(state)
        if guard.asked():                  # cheap: reads one flag
            guard.saved(save(state))       # a name or path; ends the program

Nothing but the standard library. Outside of ccsched, asked() is always False.
"""
# SPDX-License-Identifier: Apache-2.0
import os
import socket
import sys
import threading
import time

# What a suspended job ends with.
EXIT_SUSPENDED = 85


class Guard:
    """Watches for the request to save the state and end."""

    def __init__(self):
        folder = os.environ.get("CCSCHED_CONTROL")
        # The checkpoint that an earlier attempt named, or None.
        self.resume_from = os.environ.get("CCSCHED_CHECKPOINT") or None
        self.resumed = os.environ.get("CCSCHED_RESUME") == "1"
        # Accelerators of the whole job: an elastic one is started anew with
        # another number, after a request whose reason is "resize".
        self.width = int(os.environ.get("CCSCHED_WIDTH", "1"))
        self.reason = None
        self.seconds_left = None
        self._asked_at = None
        self._path = os.path.join(folder, "control") if folder else None
        if self._path and os.path.exists(self._path):
            watching = threading.Event()
            thread = threading.Thread(
                target=self._watch, args=(watching,), daemon=True)
            thread.start()
            watching.wait(5)

    def _watch(self, watching):
        """Waits for requests, one connection for all of them."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(self._path)
                answers = connection.makefile()
                while True:
                    connection.sendall(b"watch\n")
                    watching.set()
                    line = answers.readline().split()
                    if not line:
                        return
                    self.seconds_left, self.reason = float(line[1]), line[2]
                    self._asked_at = time.monotonic()
                    # Until it is over: refused, or not answered in time.
                    while line[:1] == ["suspend"]:
                        time.sleep(0.2)
                        connection.sendall(b"status\n")
                        line = answers.readline().split()
                    self._asked_at = None
        except OSError:
            watching.set()

    def asked(self):
        """Whether the state is to be saved now."""
        return self._asked_at is not None

    def _say(self, line):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(self._path)
            connection.sendall((line + "\n").encode())
            return connection.makefile().readline().strip()

    def saved(self, checkpoint, exit=True):
        """Says that the state is safe under this name, and ends the program.

        What it cost is the time since the request was seen. With exit=False it
        can be called at any time, for checkpoints made of one's own accord.
        """
        seconds = 0.0
        if self._asked_at is not None:
            seconds = time.monotonic() - self._asked_at
        if self._path:
            answer = self._say("saved %.6f %s" % (seconds, checkpoint))
            if answer != "ok":
                raise RuntimeError("ccsched: " + answer)
        if exit:
            sys.stdout.flush()
            os._exit(EXIT_SUSPENDED)

    def refuse(self):
        """Says that the job can't be suspended now; it goes on."""
        self._asked_at = None
        if self._path:
            self._say("refuse")
