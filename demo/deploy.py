"""The command `python -m demo.deploy USER/NAME`, implemented in `demo.publish.deploy`."""

import sys

from demo.publish.deploy import main

if __name__ == "__main__":
    sys.exit(main())
