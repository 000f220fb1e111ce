"""What a run relies on: its processes and devices, the signals that end it, number formats, and freed memory."""
