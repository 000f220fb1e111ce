"""What the commands for many pictures share: finding the files, working in processes, going on after a stop."""
