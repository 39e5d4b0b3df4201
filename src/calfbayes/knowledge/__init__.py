"""What a model's files say: read, checked, and made into records."""
