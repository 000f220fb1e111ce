"""Training data: CelebA's tables, decoded pictures, augmentation and batches."""
