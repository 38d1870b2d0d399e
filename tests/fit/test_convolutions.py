"""Threads do not take each other's choice of arithmetic."""

import threading

import torch

from imagegs_tex.fit.convolutions import plain_convolutions


def test_no_thread_sees_flags_that_another_puts_back():
    """One that came in first and leaves first would end the other's choice."""
    usual, gpu = torch.backends.cudnn.allow_tf32, torch.device("cuda")
    seen, entered, left = [], threading.Event(), threading.Event()

    def other():
        entered.set()
        with plain_convolutions(gpu):
            left.wait(10)
            seen.append(torch.backends.cudnn.allow_tf32)

    thread = threading.Thread(target=other)
    with plain_convolutions(gpu):
        thread.start()
        entered.wait(10)
        thread.join(0.2)  # time to come in, if it may
        seen.append(torch.backends.cudnn.allow_tf32)
    left.set()
    thread.join(10)
    assert seen == [False, False]
    assert torch.backends.cudnn.allow_tf32 == usual


def test_a_cpu_waits_for_nobody():
    with plain_convolutions(torch.device("cuda")), plain_convolutions(torch.device("cpu")):
        assert not torch.backends.cudnn.allow_tf32
