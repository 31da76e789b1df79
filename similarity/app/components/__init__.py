"""The two elements that Streamlit has none of: a grid of pictures to click on, and a picture to cut a part out of."""
