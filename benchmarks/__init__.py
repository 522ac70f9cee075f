"""How fast, and how much memory: this project beside PyTorch, on the same work, turn by turn.

`python -m benchmarks` measures everything, `python -m benchmarks mlp conv2d` what has one of the
words in its name, `--list` tells the names. PyTorch and micrograd are compared where installed.

A *work* (`works/`) is written once, in PyTorch's API, and handed the library to run on. Each
library gets a process of its own (`worker.py`); the processes take short turns, so that what
else the machine does meets both alike, and each pair of turns gives one ratio (`__main__.py`).
"""
