"""The web app: `streamlit run streamlit_app.py`. The server starts with it, and each visitor's page is drawn by it."""

import logging

import streamlit as st
from starlette.middleware import Middleware

from similarity.app import pages
from similarity.app.serving import browser_cookie, guard, login, pictures, server
from similarity.app.serving.upload_budget import UploadBudget
from similarity.text import plain

if __name__ == "__main__":
    pages.show()
else:
    plain.log(logging.WARNING)
    app = st.App(
        __file__,
        routes=pictures.routes(),
        lifespan=server.running,
        middleware=[Middleware(cls) for cls in (guard.Guard, browser_cookie.BrowserCookie, login.Login, UploadBudget)],
    )
