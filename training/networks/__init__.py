"""The networks that training knows: SlimNet, and those that teach it."""
