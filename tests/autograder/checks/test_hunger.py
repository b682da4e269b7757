"""How long a process waited for a processor, as the kernel counts it."""

import os
import subprocess
import sys

from autograder.checks.hunger import Hunger

SPIN = """
import os, time
for _ in range(4 * os.cpu_count() - 1):
    if not os.fork():
        break
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
print("spun", flush=True)
input()
"""


def test_one_that_sleeps_waits_for_no_processor():
    """A process that only waits for a line is not hungry, and one that has ended is not either."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as sleeps:
        hunger = Hunger([sleeps.pid])
        assert hunger.seconds < 10
        sleeps.communicate(b"\n")
        assert hunger.seconds == 0


def test_processes_that_share_too_few_processors_are_hungry():
    """Four busy processes for each processor wait; those of the children count."""
    with subprocess.Popen(
        [sys.executable, "-c", SPIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as busy:
        hunger = Hunger([busy.pid])
        for _ in range(4 * os.cpu_count()):
            busy.stdout.readline()
        assert hunger.seconds > 0.3
        busy.kill()
