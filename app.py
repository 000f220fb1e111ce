"""Serves the SlimNet Faces page: `python app.py`."""

import demo  # noqa: F401 - it switches off what libraries would report

if __name__ == "__main__":
    # Not above, since the processes that decode pictures import this file, too.
    from demo.server.command import run

    run()
