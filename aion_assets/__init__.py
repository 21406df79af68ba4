"""The pipeline and the knowledge it makes."""

import os

# Threads of OpenBLAS and OpenMP that wait for work keep their core busy unless told otherwise before numpy and torch
# are loaded. On 2 cores a search takes 18 to 20 ms instead of 25, and of two processes that embed at once each
# is half as fast as one alone instead of a quarter; alone it is as fast as before.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "10")  # 2¹⁰ clock ticks; the default is 2²⁶
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
