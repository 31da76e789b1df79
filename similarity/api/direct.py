"""Routes that read their requests themselves: what FastAPI works out for each takes a good part of a search."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from similarity.api.callers import admit


class DirectRoute(APIRoute):
    """A route of `endpoint(gallery, request, caller)`, which gives a response; the document has it as any other."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request: the endpoint, once its caller is admitted."""
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            caller = await admit(request)
            response: Response = await endpoint(request.path_params["gallery"], request, caller)
            return response

        return handle
