"""The HTTP service: `create_app(log)` is an ASGI application, to run or to mount in another one."""

from turnlog.service.app import create_app

__all__ = ["create_app"]
