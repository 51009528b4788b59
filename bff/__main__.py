"""The ``hitchpost`` command, also as ``python -m bff``."""

import sys

from bff.serving.loading import kept

with kept():
    from bff.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
