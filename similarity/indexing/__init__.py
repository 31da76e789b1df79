"""What happens when a gallery is made, changed, or brought in step with its sources."""
