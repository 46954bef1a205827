"""Arrays, where numpy itself does more than is wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def unique(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """As ``numpy.unique`` of one dimension, which for its first call loads masked arrays."""
    ordered = np.sort(values)
    is_first = np.ones(len(ordered), np.bool_)
    is_first[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_first]
