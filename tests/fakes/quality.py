"""How clearly a stand-in's face is seen."""

from demo.pipeline.quality import Quality

CLEAR = Quality(size=38.0, sharpness=0.15, brightness=120.0, yaw=-4.5, pitch=2.0, outside=0.0)
CONDITIONS = {"size": 38.0, "sharpness": 0.15, "turn": 4.5}  # the same, as the page gets it
