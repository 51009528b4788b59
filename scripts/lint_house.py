"""Rules of this house that no other linter knows, for our Python, scripts and templates.

``scripts/lint_house.py`` reads the whole repository, prints each fault as ``path:line: rule: advice`` and
exits 1 if there is any. A line that must break a rule says so and why, at its end or on the line above it:
``# house-allow: RULE: reason``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
UNEXPLAINED: Final = re.compile(r"# noqa: (?=[^#]*\bS\d{3})[\w, ]+$")
ALLOW: Final = re.compile(r"(?:#|//|\{#) house-allow: (?P<rule>[a-z-]+): \S")

HTTP_METHODS: Final = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "request", "send"}
)
"""What sends a request, of ``requests`` and of its sessions."""
WEAK: Final = frozenset({"md5", "sha1"})
SQL_CALLS: Final = frozenset({"execute", "executemany", "executescript", "exec_driver_sql"})
SECRET_NAME: Final = re.compile(r"(?:^|_)(?:token|secret|password|sha256|digest|signature|csrf|nonce)$")


@dataclass(frozen=True)
class Fault:
    """One line that breaks one rule."""

    line: int
    rule: str
    advice: str


MOST_LINES, MOST_IN_FUNCTION, MOST_COLLABORATORS = 300, 50, 7
"""Of a file, a function, and what a constructor takes."""
SHELL: Final = {"shell": (True, "shell", "pass a list of arguments, no text for a shell")}
FORBIDDEN: Final = {
    "force": (True, "force-json", "a body of another type is refused, never parsed by force"),
    "verify": (False, "tls-verify", "certificates are always verified"),
    "allow_redirects": (True, "redirects", "no call of ours follows a redirect"),
}
"""By name of a keyword argument: the value that no call may give it, the rule, the advice."""

TEXT_RULES: Final = {
    "post-message": (
        re.compile(r"postMessage\([^;]{0,300}?(?:,|targetOrigin\s*:)\s*([\"'`])\*\1", re.DOTALL),
        "name the target origin; '*' tells every window",
    ),
    "markup": (
        re.compile(
            r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|setHTMLUnsafe|srcdoc)\b"
            r"|\bdocument\.write(?:ln)?\b"
        ),
        "text is never markup: use textContent",
    ),
    "eval": (
        re.compile(
            r"(?<![\w.$])eval\s*\(|\bnew\s+Function\b|(?<![\w.$])Function\s*\(|\bset(?:Timeout|Interval)\(\s*[\"'`]"
        ),
        "no text is run as a program",
    ),
}
"""For everything that a browser runs."""

TEMPLATE_RULES: Final = {
    "safe-filter": (
        re.compile(r"\|\s*safe\b|\{%-?\s*autoescape\s+false|\bMarkup\("),
        "text is never markup: let Jinja escape it",
    ),
    "inline-script": (
        re.compile(
            # In a page there may be one of our files as a whole, which the page's policy names by its hash.
            r"<script\b(?![^>]*\bsrc=)(?![^>]*>{{ script }}</script>)"
            r"|\son[a-z]+\s*=\s*[\"'{]|\bjavascript:",
            re.IGNORECASE,
        ),
        "scripts are files of their own: no page allows others",
    ),
}


def faults_of(path: str, text: str) -> list[Fault]:
    """What breaks a rule in this file, but for what is allowed there; ``path`` begins at the repository."""
    lines, found = text.splitlines(), sorted(_all_of(path, text), key=lambda one: one.line)
    return [fault for fault in found if not _allowed(lines, fault)]


def files() -> Iterator[Path]:
    """Everything that the rules are for; what is built or installed is not read."""
    for pattern in (
        "bff/**/*.py",
        "tests/**/*.py",
        "scripts/*.py",
        "static/*/*.js",
        "static/widget/src/*.ts",
        "templates/**/*.html",
    ):
        yield from sorted(ROOT.glob(pattern))


def _all_of(path: str, text: str) -> Iterator[Fault]:
    if path.endswith(".py"):
        tree = ast.parse(text)
        for number, line in enumerate(text.splitlines(), start=1):
            if path.startswith("bff/") and UNEXPLAINED.search(line):
                yield Fault(number, "unexplained", "say why this is safe: # noqa: S000  # why")
        yield from _everywhere(tree)
        yield from _in_tests(tree) if path.startswith("tests/") else ()
        if path.startswith("bff/"):
            yield from _in_product(tree)
            yield from _sizes(tree, text)
        return
    rules = TEXT_RULES | (TEMPLATE_RULES if path.endswith(".html") else {})
    for rule, (pattern, advice) in rules.items():
        for match in pattern.finditer(text):
            yield Fault(text.count("\n", 0, match.start()) + 1, rule, advice)


def _allowed(lines: list[str], fault: Fault) -> bool:
    above = lines[fault.line - 2] if fault.line > 1 else ""
    near = [lines[fault.line - 1], above if above.lstrip().startswith(("#", "//", "{#")) else ""]
    return any(match["rule"] == fault.rule for line in near if (match := ALLOW.search(line)))


def _everywhere(tree: ast.AST) -> Iterator[Fault]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _keywords(node, SHELL)


def _in_tests(tree: ast.AST) -> Iterator[Fault]:
    # A sleep between two looks at a condition is how a condition is waited for.
    polls = {id(node) for loop in ast.walk(tree) if isinstance(loop, ast.While) for node in ast.walk(loop)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) == "sleep" and id(node) not in polls:
            yield Fault(node.lineno, "test-sleep", "wait for a condition, not for time")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            names = [f"{module}.{alias.name}" if module else alias.name for alias in node.names]
            if any(re.match(r"(unittest\.)?mock\b", name) for name in names):
                yield Fault(node.lineno, "mock", "fakes are real programs")


def _in_product(tree: ast.AST) -> Iterator[Fault]:
    sessions, columns = _bound(tree, _is_session), _bound(tree, _are_columns)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _keywords(node, FORBIDDEN)
            yield from _call(node, sessions)
        elif isinstance(node, ast.Compare):
            yield from _comparison(node, columns)
        elif isinstance(node, ast.Assign):
            yield from _trust(node)
        elif isinstance(node, ast.ImportFrom) and node.module == "hashlib":
            yield from (_weak(node) for alias in node.names if alias.name in WEAK)


def _sizes(tree: ast.AST, text: str) -> Iterator[Fault]:
    if text.count("\n") > MOST_LINES:
        yield Fault(1, "long-file", f"more than {MOST_LINES} lines: it does two things, so split it")
    # What an exception tells is no collaborator.
    told = {id(part) for node in ast.walk(tree) if _is_exception(node) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        if (node.end_lineno or 0) - node.lineno >= MOST_IN_FUNCTION:
            yield Fault(node.lineno, "long-function", f"more than {MOST_IN_FUNCTION} lines: name its parts")
        taken = len(node.args.args) + len(node.args.kwonlyargs) - 1
        if node.name == "__init__" and id(node) not in told and taken > MOST_COLLABORATORS:
            yield Fault(node.lineno, "collaborators", f"more than {MOST_COLLABORATORS}: bundle or split")


def _is_exception(node: ast.AST) -> bool:
    bases = node.bases if isinstance(node, ast.ClassDef) else []
    return any(_last_name(base).endswith(("Exception", "Error")) for base in bases)


def _keywords(call: ast.Call, forbidden: Mapping[str, tuple[bool, str, str]]) -> Iterator[Fault]:
    for word in call.keywords:
        value, rule, advice = forbidden.get(word.arg or "", (None, "", ""))
        if isinstance(word.value, ast.Constant) and word.value.value is value and value is not None:
            yield Fault(word.value.lineno, rule, advice)


def _call(call: ast.Call, sessions: set[str]) -> Iterator[Fault]:
    name = _last_name(call.func)
    if _sends(call, sessions) and not any(word.arg == "allow_redirects" for word in call.keywords):
        yield Fault(call.lineno, "redirects", "write allow_redirects=False: requests follows them otherwise")
    if name == "Markup":
        yield Fault(call.lineno, "safe-filter", "text is never markup: let Jinja escape it")
    if name == "sleep":
        yield Fault(call.lineno, "sleep", "a thread that sleeps serves nobody: wait for a condition")
    if _is_hashlib(call.func) and (name in WEAK or _names_weak(call)):
        yield _weak(call)
    if _takes_sql(call.func) and call.args and _is_built(call.args[0]):
        yield Fault(call.lineno, "sql-text", "write an expression or bind parameters; SQL is no built text")


def _comparison(node: ast.Compare, columns: set[str]) -> Iterator[Fault]:
    sides = [node.left, *node.comparators]
    if not any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops):
        return
    if any(isinstance(side, ast.Constant) or _is_column(side, columns) for side in sides):
        return
    if any(SECRET_NAME.search(_last_name(side).lower()) for side in sides):
        yield Fault(node.lineno, "secret-compare", "compare secrets with hmac.compare_digest")


def _trust(node: ast.Assign) -> Iterator[Fault]:
    on = isinstance(node.value, ast.Constant) and node.value.value is True
    if on and any(_last_name(target) == "trust_env" for target in node.targets):
        yield Fault(node.lineno, "trust-env", "neither .netrc nor proxy variables may change a call of ours")


def _bound(tree: ast.AST, wanted: Callable[[ast.expr], bool]) -> set[str]:
    """The names to which such a value is bound somewhere in the module."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and node.optional_vars and wanted(node.context_expr):
            found.add(_last_name(node.optional_vars))
        for target, value in _pairs(node) if isinstance(node, ast.Assign) else ():
            if wanted(value):
                found.add(_last_name(target))
    return found


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def _are_columns(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "c"


def _is_session(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in {"requests.Session", "Session"}


def _sends(call: ast.Call, sessions: set[str]) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in HTTP_METHODS:
        return False
    holder = _last_name(call.func.value)
    return ast.unparse(call.func.value) == "requests" or holder in sessions


def _is_hashlib(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and _last_name(function.value) == "hashlib"


def _names_weak(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Constant) and str(first.value).lower() in WEAK


def _weak(node: ast.Call | ast.ImportFrom) -> Fault:
    return Fault(node.lineno, "weak-hash", "use SHA-256")


def _takes_sql(function: ast.expr) -> bool:
    # A method of this name that is not SQLAlchemy's function is some other text.
    return _last_name(function) in SQL_CALLS or ast.unparse(function) in {"text", "sqlalchemy.text"}


def _is_built(node: ast.expr) -> bool:
    """Whether a text is put together from parts: an f-string, ``%``, ``+`` or ``format``."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
        return any(_is_text(side) for side in (node.left, node.right))
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Call) and _last_name(node.func) == "format"
    )


def _is_text(node: ast.expr) -> bool:
    plain = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return plain or isinstance(node, ast.JoinedStr)


def _is_column(node: ast.expr, columns: set[str]) -> bool:
    """``table.c.name``, which SQLAlchemy makes an expression of: the database compares."""
    return isinstance(node, ast.Attribute) and _last_name(node.value) in columns | {"c"}


def _last_name(node: ast.expr) -> str:
    """The identifier by which a reader knows the value: ``a.b`` is b, ``a["b"]`` is b, ``a.b()`` is b."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return _last_name(node.func) if isinstance(node, ast.Call) else ""


def main() -> int:
    """Check everything."""
    count = 0
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        for fault in faults_of(name, path.read_text(encoding="utf-8")):
            print(f"{name}:{fault.line}: {fault.rule}: {fault.advice}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
