"""The command line: ``python -m fastmlp fit | predict | show | export | demo | --selftest | --config | --version``."""

import sys

from fastmlp.command.parser import main

if __name__ == "__main__":
    sys.exit(main())
