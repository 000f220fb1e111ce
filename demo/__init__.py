"""The demo: finds faces in a picture or a camera's frame, aligns them, and shows SlimNet's attributes for each."""
