"""What every way into the program shares, whoever draws it: turns at work. It knows no web framework."""
