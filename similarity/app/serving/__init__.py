"""What is loaded once, and shared by all who are served."""
