"""The pipeline and the knowledge it makes."""

import os

# Threads of OpenBLAS and OpenMP that wait for work keep their core busy unless told otherwise before numpy and torch
# are loaded: a search on 2 cores took 25 ms instead of 19, and of two processes that computed with torch each was a
# quarter as fast as one alone instead of half.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "10")  # 2¹⁰ clock ticks; the default is 2²⁶
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
