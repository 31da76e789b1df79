"""From what a person shows or says to ranked results with their reasons."""
