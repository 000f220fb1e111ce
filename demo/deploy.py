"""The command `python -m demo.deploy USER/NAME`; what it does is in `demo.publish.deploy`."""

import sys

from demo.publish.deploy import main

if __name__ == "__main__":
    sys.exit(main())
