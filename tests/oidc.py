"""Somebody who can say who a visitor is: a provider of OpenID Connect on loopback, whose keys and codes are real."""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

CLIENT, SECRET = "similarity", "a secret of the client"
COOKIE_SECRET = "0123456789abcdef0123456789abcdef"
ANN = {"sub": "1", "name": "Ann", "email": "Ann@example.org", "email_verified": True}


class Provider:
    """Logs whoever comes in as `person`, without asking.

    Attributes:
        url: where it is.
        person: what it says of whoever comes; None, and it refuses everybody.
        asked: which of its addresses were asked for.
    """

    def __init__(self) -> None:
        self.person: Mapping[str, Any] | None = ANN
        self.asked: list[str] = []
        self._key = RSAKey.generate_key(2048, {"kid": "only", "use": "sig", "alg": "RS256"})
        self._codes: dict[str, Mapping[str, str]] = {}
        routes = [
            Route("/.well-known/openid-configuration", self._describe),
            Route("/authorize", self._authorize),
            Route("/token", self._give_token, methods=["POST"]),
            Route("/keys", lambda _: JSONResponse({"keys": [self._key.as_dict(private=False)]})),
            Route("/logout", lambda request: RedirectResponse(request.query_params["post_logout_redirect_uri"], 302)),
        ]
        config = uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join()

    def write_secrets(self, home: Path, app: str, **changes: str) -> Path:
        """Write the secrets of an app at an address where a process with this HOME finds them."""
        section = {
            "redirect_uri": f"{app}/oauth2callback",
            "cookie_secret": COOKIE_SECRET,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "server_metadata_url": f"{self.url}/.well-known/openid-configuration",
        } | changes
        path = home / ".streamlit" / "secrets.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[auth]\n" + "".join(f'{name} = "{value}"\n' for name, value in section.items()))
        return path

    async def _describe(self, _: Request) -> JSONResponse:
        self.asked.append("description")
        return JSONResponse({
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        })  # fmt: skip

    async def _authorize(self, request: Request) -> RedirectResponse:
        self.asked.append("authorize")
        query = dict(request.query_params)
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        answer = {"error": "access_denied"}
        if self.person is not None:
            answer = {"code": secrets.token_hex(8)}
            self._codes[answer["code"]] = query
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer | {'state': query['state']})}", 302)

    async def _give_token(self, request: Request) -> JSONResponse:
        self.asked.append("token")
        form = await request.form()
        asked = self._codes.pop(str(form["code"]))
        challenge = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        assert base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == asked["code_challenge"]
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        assert request.headers["authorization"] == f"Basic {basic}"
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        token = jwt.encode({"alg": "RS256", "kid": "only"}, claims | dict(self.person or {}), self._key)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": token})
