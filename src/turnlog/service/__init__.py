"""The HTTP service: `create_app` makes an ASGI application of a `Turnlog`."""

from turnlog.errors import needs_extra

with needs_extra("server", "starlette"):
    from turnlog.service.app import create_app

__all__ = ["create_app"]
