"""Torch works on as many threads as it is told, for each thread of the program by itself."""

from __future__ import annotations

import threading

import torch

from neuromem.linear import Threads


def test_every_thread_of_the_program_gets_the_number_it_asked_for() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    few, inside, seen = Threads(1), threading.Event(), dict[str, int]()

    def other() -> None:
        (torch.ones(4, 4) @ torch.ones(4, 4)).sum()  # OpenMP notes the number when a thread first works
        seen["outside"] = torch.get_num_threads()
        inside.wait(10)
        with few, few:
            seen["inside"] = torch.get_num_threads()
        seen["after"] = torch.get_num_threads()

    worker = threading.Thread(target=other)
    worker.start()
    while "outside" not in seen:
        pass
    with few:
        inside.set()
        worker.join(10)
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    assert seen == {"outside": 2, "inside": 1, "after": 2}
    torch.set_num_threads(before)
