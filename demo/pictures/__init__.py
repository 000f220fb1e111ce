"""From a picture file of any kind to an upright RGB frame in sRGB: `demo.pictures.decode.open_picture`."""
