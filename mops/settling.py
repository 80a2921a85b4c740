"""What a process that serves for long does once its code is loaded."""

import gc

from django.urls import get_resolver


def settle() -> None:
    """Load every address and leave what is loaded out of the collector's rounds: they look at what requests made only.

    Before a fork it also keeps the loaded code in memory that the workers share.
    """
    _loaded = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
