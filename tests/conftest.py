"""Gives torch one thread in every test, and in what the tests start: small networks gain nothing from more, and a
second thread that waits for a busy processor stalls each operation."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
