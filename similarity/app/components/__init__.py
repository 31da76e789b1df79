"""Elements that Streamlit lacks: a grid of clickable pictures, a picture to crop, and pictures with heat maps."""
