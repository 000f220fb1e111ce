"""The networks that training knows: SlimNet and its teachers."""
