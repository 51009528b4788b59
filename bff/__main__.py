"""``python -m bff`` is the ``hitchpost`` command."""

import sys

from bff.cli import main

sys.exit(main())
