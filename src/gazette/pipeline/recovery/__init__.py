"""What a killed run leaves, found and put right before the next, which runs alone."""
