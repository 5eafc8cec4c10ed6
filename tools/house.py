"""Measures the source tree and holds it to the bounds of the house: `python tools/house.py [directory of the package]`.

Everything is counted from the syntax tree and the tokens, nothing is imported. The exit code is 1 when a bound is broken.
What counts as what:

- A function's lines go from its `def` to its last line; decorators are left out, functions inside functions are counted too.
- A table is a function that assigns names and then returns one tuple, list, dict or set, without any branch or loop.
- Imports count wherever they stand: in functions and under `TYPE_CHECKING` too. A cycle of packages is one between the
  modules and packages that lie in the same package, whatever files in them it goes through.
- A broad `except` is a bare one, or one that names `Exception` or `BaseException`; `suppress` of these counts as well.
- A line of code has a token that is neither a comment nor a docstring. A comment for a tool (`noqa`, `type:`, `pragma`,
  `fmt:`, `!`) is no comment, unless a second `#` on its line begins one.
- A class name is used twice when two classes have it, wherever they stand; the blocking twins in `sync` are left out.
"""

import ast
import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

TWINS = ".sync"
"""The module whose classes are named like those that they wait for."""
BROAD = {"Exception", "BaseException"}
FOR_A_TOOL = re.compile(r"#\s*(noqa|type:|pragma|fmt:|ruff:|mypy:|pyright:|!)[^#]*")
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
LITERALS = ast.Tuple | ast.List | ast.Dict | ast.Set
Function = ast.FunctionDef | ast.AsyncFunctionDef
Graph = Mapping[str, set[str]]


class File(NamedTuple):
    """A source file by its dotted name; that of a package's `__init__` ends with it."""

    name: str
    path: Path
    text: str
    tree: ast.Module


class Figure(NamedTuple):
    """A row of the report: `value` may be `most` (or, for `least`, has to reach it); `offenders` say where it is broken."""

    name: str
    value: float
    most: float | None = None
    least: float | None = None
    offenders: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether the value is within its bound; a row without one informs."""
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)


def read(package: Path) -> list[File]:
    """All Python files of a package."""
    files = []
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        files.append(File(name, path, text, ast.parse(text)))
    return files


def functions(files: list[File]) -> Iterator[tuple[int, File, Function]]:
    """Each function with its number of lines."""
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, Function):
                yield (node.end_lineno or node.lineno) - node.lineno + 1, file, node


def is_table(function: Function) -> bool:
    """Whether the function only returns a literal."""
    body = [node for node in function.body if not is_text(node)]
    if not body or not isinstance(body[-1], ast.Return) or not isinstance(body[-1].value, LITERALS):
        return False
    return all(isinstance(node, ast.Assign | ast.AnnAssign) for node in body[:-1])


def is_text(node: ast.stmt) -> bool:
    """Whether a statement is a docstring, of a module, class, function or attribute."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def imports(files: list[File]) -> dict[str, set[str]]:
    """Which file imports which."""
    names = {file.name for file in files}

    def resolved(dotted: str) -> str | None:
        return next((name for name in (dotted, f"{dotted}.__init__") if name in names), None)

    graph: dict[str, set[str]] = {file.name: set() for file in files}
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Import):
                found = [resolved(alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                origin = _origin(file.name, node)
                found = [resolved(f"{origin}.{alias.name}") or resolved(origin) for alias in node.names]
            else:
                continue
            graph[file.name] |= {name for name in found if name and name != file.name}
    return graph


def _origin(name: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    return ".".join([*name.split(".")[: -node.level], *filter(None, [node.module])])


def of_packages(graph: Graph) -> dict[str, set[str]]:
    """The imports between neighbours: the parts of the two names up to the first in which they differ."""
    between: dict[str, set[str]] = defaultdict(set)
    for importer, imported in graph.items():
        for name in imported:
            one, other = importer.split("."), name.split(".")
            depth = next(i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]) + 1
            between[".".join(one[:depth])].add(".".join(other[:depth]))
    return between


def cycles(graph: Graph) -> list[list[str]]:
    """The groups of names that reach each other."""
    reached = {name: _reach(graph, name) for name in graph}
    groups = {
        tuple(sorted(other for other in names if name in reached.get(other, ())))
        for name, names in reached.items()
        if name in names
    }
    return [list(group) for group in sorted(groups)]


def _reach(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    rest = list(graph[start])
    while rest:
        name = rest.pop()
        if name not in seen:
            seen.add(name)
            rest += graph.get(name, ())
    return seen


def broad(file: File) -> Iterator[int]:
    """The lines that catch everything."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = [node.type] if node.type else [ast.Name("BaseException")]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            caught = node.args
        else:
            continue
        if any(isinstance(inner, ast.Name) and inner.id in BROAD for one in caught for inner in ast.walk(one)):
            yield node.lineno


def code_and_comments(file: File) -> tuple[int, int]:
    """How many lines have code, and how many a comment."""
    texts = [node for node in ast.walk(file.tree) if isinstance(node, ast.stmt) and is_text(node)]
    within = {line for node in texts for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    code: set[int] = set()
    comments: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(file.text).readline):
        if token.type == tokenize.COMMENT and FOR_A_TOOL.sub("", token.string, count=1).strip("# "):
            comments.add(token.start[0])
        elif token.type not in NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(code - within), len(comments)


def twice(files: list[File]) -> dict[str, list[str]]:
    """The names that more than one class has, with the files of these."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.ClassDef) and not file.name.endswith(TWINS):
                found[node.name].append(file.name)
    return {name: where for name, where in sorted(found.items()) if len(where) > 1}


def figures(files: list[File]) -> list[Figure]:
    """All that is measured."""
    return [*_of_functions(files), *_of_imports(files), *_of_lines(files), *_of_names(files)]


def _of_functions(files: list[File]) -> list[Figure]:
    measured = sorted(functions(files), key=lambda found: found[0])
    lines = [count for count, _, _ in measured] or [0]
    long = [found for found in measured if found[0] > 40 and not is_table(found[2])]
    worst = tuple(f"{file.path}:{node.lineno} {node.name}: {count} lines" for count, file, node in reversed(long))
    return [
        Figure("functions", len(measured)),
        Figure("  lines, median", lines[len(lines) // 2]),
        Figure("  lines, 90th percentile", lines[min(len(lines) - 1, len(lines) * 9 // 10)], most=15),
        Figure("  lines, longest", lines[-1]),
        Figure("  over 40 lines, tables aside", len(long), most=0, offenders=worst),
    ]


def _of_imports(files: list[File]) -> list[Figure]:
    graph = imports(files)
    found = cycles(graph), cycles(of_packages(graph))
    names = "import cycles of files", "import cycles of packages"
    rows = zip(names, found, strict=True)
    return [Figure(name, len(some), most=0, offenders=tuple(" <-> ".join(one) for one in some)) for name, some in rows]


def _of_lines(files: list[File]) -> list[Figure]:
    caught = tuple(f"{file.path}:{line}" for file in files for line in sorted(broad(file)))
    counted = {file.name: code_and_comments(file) for file in files}
    code, comments = (sum(pair[i] for pair in counted.values()) for i in (0, 1))
    bare = sorted(((pair[0], name) for name, pair in counted.items() if pair[0] >= 100 and not pair[1]), reverse=True)
    return [
        Figure("broad excepts", len(caught), most=4, offenders=caught),
        Figure("files of Python", len(files), most=190),
        Figure("lines", sum(file.text.count("\n") for file in files), most=25_000),
        Figure("  of code", code),
        Figure("  with a comment", comments),
        Figure(
            "comment lines per 1,000 of code",
            round(1000 * comments / max(code, 1), 1),
            least=15,
            offenders=tuple(f"{name}: none in {lines} lines of code" for lines, name in bare),
        ),
    ]


def _of_names(files: list[File]) -> list[Figure]:
    found = twice(files)
    return [
        Figure(
            "class names used twice",
            len(found),
            most=0,
            offenders=tuple(f"{name}: {', '.join(where)}" for name, where in found.items()),
        )
    ]


def report(package: Path) -> int:
    """Print the table and what breaks a bound; the exit code."""
    files = read(package)
    if not files:
        print(f"no Python files in {package}", file=sys.stderr)
        return 2
    rows = figures(files)
    for row in rows:
        bound = (
            f"at most {row.most:,}" if row.most is not None else f"at least {row.least:,}" if row.least is not None else ""
        )
        print(f"{row.name:32}{row.value:>10,}  {bound:16}{'' if row.kept else 'BROKEN'}".rstrip())
    others = sum(1 for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))
    print(f"{'other files (SQL, Lua, data)':32}{others:>10,}")
    for row in rows:
        if not row.kept and row.offenders:
            print(f"\n{row.name.strip()}:", *row.offenders, sep="\n  ")
    return int(not all(row.kept for row in rows))


if __name__ == "__main__":
    sys.exit(report(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "src" / "turnlog"))
