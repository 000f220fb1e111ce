"""Serves the SlimNet Faces page: `python app.py`."""

if __name__ == "__main__":
    # Not above, since the processes that decode pictures import this file, too.
    from demo.server.command import run

    run()
