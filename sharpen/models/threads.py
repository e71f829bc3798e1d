"""Threads side by side on rows: products of small matrices gain little from a second thread, rows much of it."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from threading import Barrier
from typing import TypeVar

import torch

from sharpen.models.body import Body
from sharpen.models.mount import size

SMALL = 1 << 23
"""Parameters up to which rows are shared among threads; above it, products are."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Hands:
    """So many threads that do something with each item, side by side; without a pool it is done here, one by one."""

    count: int
    pool: ThreadPoolExecutor | None = None

    def __call__(self, act: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """act(item) of every item, in order, as they are done; raises what any of them raises."""
        return self.pool.map(act, items) if self.pool else map(act, items)


def hands_of(body: Body) -> Hands:
    """The threads that share the rows of this body: one each of a processor for a small body; otherwise one, whose
    products are shared instead."""
    if next(body.module.parameters()).device.type != "cpu" or size(body) > SMALL:
        return Hands(1)
    count = torch.get_num_threads()
    return Hands(count, pool(count)) if count > 1 else Hands(1)


@cache
def pool(count: int) -> ThreadPoolExecutor:
    """So many threads, each with its products to itself; they stay."""
    before, started = torch.get_num_threads(), Barrier(count)
    threads = ThreadPoolExecutor(count, "hand", _alone)
    list(threads.map(lambda _: started.wait(), range(count)))
    torch.set_num_threads(before)  # the threads' own setting would be that of every thread to come
    return threads


def _alone() -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # makes it this thread's own: one that was never asked takes what was set last anywhere


os.register_at_fork(after_in_child=pool.cache_clear)
