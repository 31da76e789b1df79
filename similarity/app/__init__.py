"""The web app. The only package that imports streamlit; the library never imports it."""
