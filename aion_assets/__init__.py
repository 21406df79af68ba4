"""The pipeline and the knowledge it makes."""

import os

# Idle threads of OpenBLAS and OpenMP keep their core busy, which slows down searches and other processes. The variables
# must be set before numpy and torch are loaded.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "10")  # 2¹⁰ clock ticks; the default is 2²⁶
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
