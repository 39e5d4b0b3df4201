"""What the probabilities mean for one patient: the result and its urgency."""
