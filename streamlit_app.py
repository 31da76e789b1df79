"""The web app: `streamlit run streamlit_app.py`. Sets the page up and hands over to its pages."""

import streamlit as st

from similarity.app import search_page, style, uploads

st.set_page_config(page_title="Similarity", page_icon=":material/image_search:", layout="wide")
style.apply()
uploads.keep_in_memory()
st.navigation([st.Page(search_page.show, title="Search", icon=":material/image_search:", default=True)]).run()
