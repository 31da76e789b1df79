"""The web app: `streamlit run streamlit_app.py`. The server starts with it, and each visitor's page is drawn by it."""

import streamlit as st

from similarity.app import connections, pages, pictures

if __name__ == "__main__":
    pages.show()
else:
    app = st.App(__file__, routes=pictures.routes(), lifespan=connections.answering_at_once)
