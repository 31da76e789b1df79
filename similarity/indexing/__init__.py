"""Making a gallery, changing it, and keeping it in step with its sources."""
