"""``python -m monitor`` is ``leakmon``."""

import sys

from monitor.cli import main

sys.exit(main())
