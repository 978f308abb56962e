"""``python -m layerlens``: the same as the command ``layerlens``."""

import sys

from layerlens.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
