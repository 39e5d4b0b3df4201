"""Why a result is what it is: what each answer weighs, what competes, what would change it, and how to repeat it."""
