"""Training and evaluation of SlimNet on CelebA."""
