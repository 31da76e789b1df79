"""Results to take along."""
