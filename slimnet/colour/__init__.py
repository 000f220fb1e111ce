"""The colours of a picture: what its file says about them, and their conversion to sRGB."""
