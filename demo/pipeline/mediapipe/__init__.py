"""MediaPipe's face models: which parts of a frame they run on, and what they find there."""
