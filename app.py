"""Serves the SlimNet Faces page: `python app.py`."""

from demo.server.command import run

if __name__ == "__main__":
    run()
