"""Finds the operations of a request's path, which is split before it is decoded."""

from collections.abc import Iterable
from urllib.parse import unquote, unquote_to_bytes

from starlette.types import Scope

from turnlog.errors import InvalidInput, TurnlogError
from turnlog.service.routes import Operation


class Node:
    """A place in the tree of paths: what may follow it, and the operations of the path that ends here."""

    __slots__ = ("allow", "below", "name", "operations", "parameter")

    def __init__(self) -> None:
        self.below: dict[bytes, Node] = {}
        self.name = ""
        self.parameter: Node | None = None
        self.operations: dict[str, Operation] = {}
        self.allow = b""

    def add(self, operation: Operation) -> None:
        """Make `operation` answer here; GET answers HEAD as well, and every path answers OPTIONS."""
        self.operations[operation.method] = operation
        if operation.method == "GET":
            self.operations["HEAD"] = operation
        self.allow = ", ".join(sorted({*self.operations, "OPTIONS"})).encode()

    def next(self, segment: bytes) -> "Node":
        """The place behind `segment` of a pattern, made if it is not there."""
        if not segment.startswith(b"{"):
            return self.below.setdefault(segment, Node())
        self.name = segment[1:-1].decode()
        self.parameter = self.parameter or Node()
        return self.parameter


class Router:
    """The table of routes as a tree over the segments of paths."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = Node()
        for operation in operations:
            node = self._root
            for segment in operation.path.encode().split(b"/")[1:]:
                node = node.next(segment)
            node.add(operation)

    def find(self, path: bytes) -> tuple[Node | None, dict[str, str]]:
        """The node of a path as the client wrote it, None if there is none, and the values of the path's parameters.

        A slash at the end changes nothing. Raises `InvalidInput` for a value that is not UTF-8.
        """
        node, values = self._root, dict[str, str]()
        segments = (path or b"/").split(b"/")[1:]
        if len(segments) > 1 and not segments[-1]:
            del segments[-1]
        for raw in segments:
            # decision 054: a segment is decoded after the split, so that %2F in an id begins no new segment
            segment = unquote_to_bytes(raw) if b"%" in raw else raw
            below = node.below.get(segment)
            if below is None:
                if node.parameter is None:
                    return None, values
                values[node.name] = _text(node.name, segment)
                below = node.parameter
            node = below
        return (node if node.operations else None), values


def _text(name: str, segment: bytes) -> str:
    try:
        return segment.decode()
    except UnicodeDecodeError:
        raise InvalidInput(name, "must be percent-encoded UTF-8") from None


def raw_path(scope: Scope) -> bytes:
    """The path below the place where the application is mounted, as the client wrote it."""
    raw: bytes | None = scope.get("raw_path")
    if raw is None:
        # decision 054: in the decoded path an id with a slash cannot be told from a longer path
        raise TurnlogError("the ASGI server gives no raw_path: use one that does, such as uvicorn")
    root: str = scope.get("root_path") or ""
    return _below(raw, root.rstrip("/")) if root else raw


def _below(raw: bytes, root: str) -> bytes:
    """`raw` without the beginning that decodes to `root`; all of it if a proxy took that away."""
    start = root.encode()
    if raw.startswith(start) and raw[len(start) :][:1] in (b"", b"/") and b"%" not in start:
        return raw[len(start) :]
    end = 0
    while (end := raw.find(b"/", end + 1)) > 0:
        if unquote(raw[:end].decode("latin-1")) == root:
            return raw[end:]
    return raw
