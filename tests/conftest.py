"""Gives torch one thread in every test, and in what the tests start: small networks gain nothing from more, and a
second thread that waits for a busy processor stalls each operation."""

import os
from multiprocessing.util import get_temp_dir

os.environ.setdefault("OMP_NUM_THREADS", "1")
# With the socket through which decoders are started: now, so that it isn't in the temporary folder of some test's page.
get_temp_dir()
