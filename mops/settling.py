"""What a process that serves for long does once its code is loaded."""

import ctypes
import gc

from django.urls import get_resolver

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names of malloc.h."""
KEPT = 64 * 1024**2
"""Bytes of freed memory that the process keeps for its next arrays."""


def settle() -> None:
    """Load every address and leave what is loaded out of the collector's rounds: they look at what requests made only.

    Before a fork it also keeps the loaded code in memory that the workers share.
    """
    _loaded = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Where the C library is glibc: else it gives every larger array back, and asks for fresh pages for the next one,
    which takes longer than reckoning in them."""
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune:
        tune(M_TRIM_THRESHOLD, KEPT)
        tune(M_MMAP_THRESHOLD, KEPT // 2)
