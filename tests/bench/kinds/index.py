"""Every further kind of token: one format for each rule's kind, under the rule's own name.

Each is written, as ``formats`` is, from its provider's documentation and apart from ``rules/``. A
format is a ``token`` where that documentation shows a prefix or a make-up of at least four
characters that belongs to this provider alone, and else ``bare``.
"""

from __future__ import annotations

from tests.bench.kinds.clouds import CLOUDS
from tests.bench.kinds.development import DEVELOPMENT
from tests.bench.kinds.files import FILES
from tests.bench.kinds.messaging import MESSAGING
from tests.bench.kinds.models import MODELS
from tests.bench.kinds.money import MONEY
from tests.bench.kinds.services import SERVICES

KINDS = (*CLOUDS, *MODELS, *MONEY, *DEVELOPMENT, *MESSAGING, *SERVICES, *FILES)
