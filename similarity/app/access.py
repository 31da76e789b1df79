"""Who may change galleries, and who may only search them.

There is no login. So by default galleries are changed, and paths of this computer shown, only to somebody who sits at
it; SIMILARITY_MANAGE says otherwise: `nobody`, or `everyone` who reaches the app.
"""

import os

import streamlit as st

# What a proxy adds to a request that it passes on: then its own address is not the visitor's.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "X-Forwarded-Host", "Via")
REFUSAL = "Galleries can be changed on the computer that this app runs on. From here, they can be searched."


def may_manage() -> bool:
    """Whether whoever is in front of the browser may change galleries and see where pictures lie."""
    setting = os.environ.get("SIMILARITY_MANAGE", "local").strip().lower()
    return setting == "everyone" or (setting == "local" and _is_local())


def _is_local() -> bool:
    """Whether the browser runs on this computer, as far as can be told; Streamlit has no address for such a one."""
    return st.context.ip_address is None and not any(st.context.headers.get(name) for name in FORWARDED)
