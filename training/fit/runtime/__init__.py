"""What a run stands on: its processes and devices, the signals that end it, number formats, and freed memory."""
