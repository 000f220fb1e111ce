"""Gives torch one thread in every test, and in what the tests start: small networks gain nothing from more, and a
second thread that waits for a busy processor stalls each operation."""

import os
import signal
from multiprocessing.util import get_temp_dir

os.environ.setdefault("OMP_NUM_THREADS", "1")
# So that the servers and browsers of tests end, too: tests/run.sh ends one half of them so, and CI a run.
signal.signal(signal.SIGTERM, signal.default_int_handler)
# With the socket through which decoders are started: now, so that it isn't in the temporary folder of some test's page.
get_temp_dir()
