"""`python -m confsync.local.calendar_server`: see `serve.py`."""

import sys

from .serve import main

sys.exit(main())
