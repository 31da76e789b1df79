"""The web app: `streamlit run streamlit_app.py`. The server starts with it, and each visitor's page is drawn by it."""

import logging

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount

from similarity.api import application
from similarity.app import pages
from similarity.app.map import sheet_routes
from similarity.app.serving import (
    browser_cookie,
    first_paint,
    guard,
    hashed_files,
    incoming_files,
    login,
    pictures,
    probes,
    server,
)
from similarity.app.serving.upload_budget import UploadBudget
from similarity.text import plain

if __name__ == "__main__":
    pages.show()
else:
    plain.log(logging.WARNING)
    API = f"{hashed_files.base_path()}{application.PREFIX}"
    app = st.App(
        __file__,
        routes=[
            *pictures.routes(),
            *sheet_routes.routes(),
            *incoming_files.routes(),
            *probes.routes(),
            Mount(API, application.create(API)),
        ],
        lifespan=server.running,
        middleware=[
            *(Middleware(cls) for cls in (guard.Guard, browser_cookie.BrowserCookie, login.Login, UploadBudget)),
            Middleware(first_paint.FirstPaint, style=pages.STYLE),
        ],
    )
