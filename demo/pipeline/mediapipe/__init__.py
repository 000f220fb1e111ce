"""MediaPipe's face models: the parts of a frame that they are run on, and what they find there."""
