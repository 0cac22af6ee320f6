"""What all tests share: asyncio is the only event loop we run on, and property tests try the same values each time.

ONBOARD_SOAK=N has them try N values that nobody tried before, wherever a test doesn't say how many it needs.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

SOAK = int(os.environ.get("ONBOARD_SOAK", "0"))
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("soak", max_examples=SOAK or 100, deadline=None)
settings.load_profile("soak" if SOAK else "fixed")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
