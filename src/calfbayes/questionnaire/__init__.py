"""Questions in a patient's words, the evidence that each answer sets, and one person's answers."""
