"""The operations on the service itself: health, the landing page, the API page and the OpenAPI document."""

from functools import cache
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

import msgspec

from turnlog.service.errors import PageNotFound
from turnlog.service.request import Answer, Request
from turnlog.service.responses import Health, Ready

_HEALTHY = Answer(200, msgspec.json.encode(Health()))
_READY = Answer(200, msgspec.json.encode(Ready()))
_ASSETS = {"swagger-ui-bundle.js": b"text/javascript", "swagger-ui.css": b"text/css", "start.js": b"text/javascript"}
_HTML = b"text/html; charset=utf-8"
# Swagger UI draws with inline styles and data: images; scripts and requests stay within the service
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SECURITY = ((b"content-security-policy", _POLICY), (b"x-content-type-options", b"nosniff"))
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="data:,">
{head}</head>
<body>
{body}
</body>
</html>
"""
_LANDING = """<h1>turnlog</h1>
<p>Keeps the conversation state of AI assistants.</p>
<ul>
<li><a href="{root}/docs">API page</a></li>
<li><a href="{root}/openapi.json">OpenAPI document</a></li>
<li><a href="{root}/health">Health</a></li>
</ul>"""
_API_HEAD = '<link rel="stylesheet" href="{root}/docs/swagger-ui.css">\n'
_API_BODY = """<div id="api" data-document="{root}/openapi.json"></div>
<script src="{root}/docs/swagger-ui-bundle.js"></script>
<script src="{root}/docs/start.js"></script>"""
_START = b"""const at = document.getElementById("api");
SwaggerUIBundle({url: at.dataset.document, domNode: at, deepLinking: true, validatorUrl: null});
"""
_NO_PACKAGE = "the API page needs openapi-ui-bundles: pip install 'turnlog[server]'"


async def health(call: Request) -> Answer:
    """The process answers."""
    return _HEALTHY


async def ready(call: Request) -> Answer:
    """The store answers."""
    await call.log.ping()
    return _READY


async def landing(call: Request) -> Answer:
    """Links to what a person looks for first."""
    return _page("turnlog", "", _LANDING, call)


async def api_page(call: Request) -> Answer:
    """Swagger UI over the OpenAPI document."""
    if _folder() is None:
        raise PageNotFound(_NO_PACKAGE)
    return _page("turnlog API", _API_HEAD, _API_BODY, call)


async def asset(call: Request) -> Answer:
    """A file of Swagger UI, as the package brings it."""
    name, folder = call.path["asset"], _folder()
    if name not in _ASSETS or folder is None:
        raise PageNotFound(f"there is no file {name!r} here")
    content = _START if name == "start.js" else _file(folder / name)
    return Answer(200, content, _SECURITY, _ASSETS[name], b"public, max-age=3600")


async def openapi(call: Request) -> Answer:
    """The OpenAPI document, with the place where the application is mounted as its server."""
    document: bytes = call.scope["app"].state.openapi
    servers = msgspec.json.encode([{"url": _root(call) or "/"}])
    return Answer(200, document[:-1] + b',"servers":' + servers + b"}")


def _page(title: str, head: str, body: str, call: Request) -> Answer:
    root = _root(call)
    text = _PAGE.format(title=title, head=head.format(root=root), body=body.format(root=root))
    return Answer(200, text.encode(), _SECURITY, _HTML)


def _root(call: Request) -> str:
    """Where the application is mounted, for URLs."""
    root: str = call.scope.get("root_path") or ""
    return quote(root.rstrip("/"))


@cache
def _folder() -> Path | None:
    try:
        package = import_module("openapi_ui_bundles.swagger_ui")
    except ImportError:
        return None
    return Path(package.__path__[0]) / "vendor"


@cache
def _file(path: Path) -> bytes:
    return path.read_bytes()
