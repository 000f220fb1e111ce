"""The training run: settings, network, optimiser, loop, validation and checkpoints."""
