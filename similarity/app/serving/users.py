"""The login (OpenID Connect, by Streamlit's `st.login`): whether it is required, how it is set up, who has logged in.

It is required where `.streamlit/secrets.toml` has a section `[auth]`, or SIMILARITY_LOGIN is `oidc`. If either is
wrong, nobody gets in: a login that somebody relies on is never off by accident.
"""

import json
import os
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from cachetools import TTLCache, cached
from streamlit import auth_util, config
from streamlit.errors import StreamlitAuthError
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from similarity.service import access
from similarity.service.access import Claims

MIN_SECRET = 32  # characters; whoever guesses the secret can be anybody
CALLBACK = "/oauth2callback"


def is_asked_for() -> bool:
    """Whether visitors have to log in."""
    return os.environ.get("SIMILARITY_LOGIN", "").strip().lower() == "oidc" or not _is_readable() or bool(_section())


def find_trouble() -> str | None:
    """Return the mistake in the setup that keeps everybody from logging in, as a sentence for the log; None if none."""
    if not _is_readable():
        return "The file .streamlit/secrets.toml cannot be read: mend it, or let the app's user read it."
    if not _section():
        return "SIMILARITY_LOGIN asks for a login, and .streamlit/secrets.toml has no section [auth]: add one."
    if not _has_authlib():
        return "Logging in needs Authlib: run `pip install Authlib httpx2`."
    try:
        for provider in providers() or ["default"]:
            auth_util.validate_auth_credentials(provider)
    except StreamlitAuthError as error:
        return " ".join(str(error).split())
    if len(str(_section().get("cookie_secret", ""))) < MIN_SECRET:
        return f"The cookie_secret in the section [auth] has fewer than {MIN_SECRET} characters: choose a random one."
    redirect = urlsplit(auth_util.get_redirect_uri(auth_util.get_secrets_auth_section()) or "")
    if redirect.scheme not in ("http", "https") or not redirect.path.endswith(CALLBACK):
        return f"The redirect_uri in the section [auth] must be the app's address with {CALLBACK} behind it."
    return None


def providers() -> list[str]:
    """Return the names of the identity providers, `default` for the unnamed one."""
    section = _section()
    named = [name for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value]
    return (["default"] if "client_id" in section else []) + named


def read_cookies(cookies: Mapping[str, str]) -> Claims:
    """Return the provider's claims about the sender of cookies; empty if the cookies are not this app's."""

    def read(name: str) -> bytes | None:
        value = cookies.get(name)
        return decode_signed_value(str(_section()["cookie_secret"]), name, value) if value else None

    try:
        claims = json.loads(auth_util.get_cookie_with_chunks(read, USER_COOKIE_NAME) or b"{}")
    except ValueError:
        return {}
    is_ours = isinstance(claims, dict) and claims.get("origin") == auth_util.get_origin_from_redirect_uri()
    return claims if is_ours else {}


def is_manager() -> bool:
    """Whether the visitor has logged in and is on the list of SIMILARITY_MANAGERS."""
    if not is_asked_for():
        return False
    return access.is_manager(st.user.to_dict())


def is_https() -> bool:
    """Whether browsers reach the app by https."""
    return str(_section().get("redirect_uri", "")).startswith("https:")


def forget_secrets() -> None:
    """Read the secrets again when they are needed next."""
    _secrets.cache_clear()


def _section() -> Mapping[str, Any]:
    """Return the section [auth] of the secrets; empty if there is none."""
    return _secrets()[1]


def _is_readable() -> bool:
    """Whether the secrets are absent or can be read; Streamlit treats an unreadable file as absent."""
    return _secrets()[0]


@cached(TTLCache(maxsize=1, ttl=1.0), lock=threading.Lock())
def _secrets() -> tuple[bool, Mapping[str, Any]]:
    """Read the secrets: whether that can be done, and their section [auth].

    They are kept for a second, because a page asks for them fifty times, and Streamlit reads files each time.
    """
    try:
        is_readable = secrets_singleton.load_if_toml_exists() or not any(
            Path(file).exists() for file in config.get_option("secrets.files")
        )
    except OSError:
        is_readable = False
    section = auth_util.get_secrets_auth_section()
    return is_readable, section if isinstance(section, Mapping) else {}


@cache
def _has_authlib() -> bool:
    try:
        from authlib.integrations import starlette_client  # noqa: F401
    except ImportError:
        return False
    return True
