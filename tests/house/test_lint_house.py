"""Each rule of the house finds what it forbids, and nothing that only looks like it."""

from __future__ import annotations

import pytest

from tests.support.script import SCRIPTS, load_script

lint = load_script("lint_house")

EXAMPLES = [
    ("force-json", "bff/x.py", "request.get_json(force=True)", "request.get_json(force=False)"),
    (
        "tls-verify",
        "bff/x.py",
        "requests.get(url, verify=False, allow_redirects=False)",
        "requests.get(url, verify=True, allow_redirects=False)",
    ),
    ("redirects", "bff/x.py", "requests.get(url)", "requests.get(url, allow_redirects=False)"),
    ("redirects", "bff/x.py", "requests.post(url, allow_redirects=True)", "requests.utils.quote(url)"),
    (
        "redirects",
        "bff/x.py",
        "with requests.Session() as s:\n    s.request('GET', url)",
        "s = flask.session\ns.get('user')",
    ),
    (
        "redirects",
        "bff/x.py",
        "class C:\n  def __init__(self): self._web = requests.Session()\n  def go(self): self._web.send(it)",
        "class C:\n    def go(self):\n        self._web.send(it)",
    ),
    ("long-file", "bff/x.py", "x = 1\n" * 301, "x = 1\n" * 300),
    ("long-function", "bff/x.py", "def f():\n" + "    x = 1\n" * 50, "def f():\n" + "    x = 1\n" * 49),
    (
        "collaborators",
        "bff/x.py",
        "class C:\n    def __init__(self, a, b, c, d, *, e, f, g, h): pass",
        "class C:\n    def __init__(self, a, b, c, d, *, e, f, g): pass",
    ),
    ("shell", "scripts/x.py", "subprocess.run('ls', shell=True)", "subprocess.run(['ls'], shell=False)"),
    ("safe-filter", "bff/x.py", "Markup('<b>')", "escape('<b>')"),
    ("trust-env", "bff/x.py", "session.trust_env = True", "session.trust_env = False"),
    ("weak-hash", "bff/x.py", "hashlib.md5(data)", "hashlib.sha256(data)"),
    ("weak-hash", "bff/x.py", "hashlib.new('SHA1', data)", "hashlib.new('sha512', data)"),
    ("weak-hash", "bff/x.py", "from hashlib import sha1", "from hashlib import sha256"),
    ("secret-compare", "bff/x.py", "ok = given.token == wanted", "ok = given.token == 'literal'"),
    ("secret-compare", "bff/x.py", "ok = form['csrf'] != wanted", "ok = form['crs'] != wanted"),
    ("secret-compare", "bff/x.py", "ok = password == row.password", "ok = table.c.password == password"),
    ("secret-compare", "bff/x.py", "ok = secret() == given", "t, now = users.c, 1\nok = t.secret == secret"),
    ("sleep", "bff/x.py", "while waiting:\n    time.sleep(1)", "ready.wait(1)"),
    ("sql-text", "bff/x.py", "c.execute(f'SELECT {x}')", "c.execute('SELECT ?', (x,))"),
    ("sql-text", "bff/x.py", "text('SELECT ' + x)", "self.text(f'error_{code}')"),
    ("sql-text", "bff/x.py", "c.exec_driver_sql('%s' % x)", "c.execute(select(table))"),
    ("sql-text", "bff/x.py", "c.execute('{}'.format(x))", "c.execute(update(t).values(a=b + 1))"),
    ("unexplained", "bff/x.py", "x = 1  # noqa: S105", "x = 1  # noqa: S105  # the name of a method"),
    ("unexplained", "bff/x.py", "x = 1  # noqa: BLE001, S112", "x = 1  # noqa: BLE001"),
    ("mock", "tests/x.py", "from unittest.mock import patch", "from unittest import TestCase"),
    ("mock", "tests/x.py", "import unittest.mock", "import mockingbird"),
    ("mock", "tests/x.py", "from unittest import mock", "from tests.support import mock_provider"),
    ("test-sleep", "tests/x.py", "time.sleep(1)", "while not done():\n    time.sleep(0.1)"),
    ("post-message", "static/a/x.js", "w.postMessage(x, '*')", "w.postMessage(x, origin)"),
    (
        "post-message",
        "static/a/x.js",
        'w.postMessage({ a: 1 }, { targetOrigin: "*" })',
        'w.postMessage({ a: "*" }, origin)',
    ),
    ("post-message", "static/a/x.js", "w.postMessage(\n  x,\n  `*`\n)", "a.postMessage(x, o); b.match('*')"),
    ("markup", "static/a/x.js", "e.innerHTML = x", "e.textContent = x"),
    ("markup", "static/a/x.js", "e.insertAdjacentHTML('beforeend', x)", "e.append(x)"),
    ("markup", "static/a/x.js", "document.write(x)", "document.writers"),
    ("markup", "templates/x.html", '<iframe srcdoc="{{ x }}">', '<iframe src="{{ x }}">'),
    ("eval", "static/a/x.ts", "eval(x)", "medieval(x)"),
    ("eval", "static/a/x.ts", "new Function(x)()", "const f: Function = g"),
    ("eval", "static/a/x.ts", "setTimeout('x()', 1)", "setTimeout(x, 1)"),
    ("safe-filter", "templates/x.html", "{{ x | safe }}", "{{ x | safely }}"),
    ("safe-filter", "templates/x.html", "{% autoescape false %}", "{% autoescape true %}"),
    ("inline-script", "templates/x.html", "<script>go()</script>", '<script src="/x.js"></script>'),
    ("inline-script", "templates/x.html", "<script>{{ x }}</script>", "<script>{{ script }}</script>"),
    ("inline-script", "templates/x.html", '<a onclick="go()">', '<a data-onclick="go()" class="on">'),
    ("inline-script", "templates/x.html", '<a href="javascript:go()">', '<a href="/javascript">'),
]


@pytest.mark.parametrize(("rule", "path", "bad", "good"), EXAMPLES)
def test_each_rule_finds_the_bad_line_and_leaves_the_good_one(
    rule: str, path: str, bad: str, good: str
) -> None:
    """Found under its own name, once; what is allowed beside it is not found."""
    assert [fault.rule for fault in lint.faults_of(path, bad)] == [rule]
    assert lint.faults_of(path, good) == []


def test_every_rule_has_an_example() -> None:
    """No rule without a line that breaks it."""
    named = {rule for rule, *_ in EXAMPLES}
    source = (SCRIPTS / "lint_house.py").read_text(encoding="utf-8")
    rules = {*lint.TEXT_RULES, *lint.TEMPLATE_RULES, *(rule for _, rule, _ in lint.FORBIDDEN.values())}
    assert rules <= named
    assert all(f'"{rule}"' in source for rule in named)


@pytest.mark.parametrize(
    "text",
    [
        "time.sleep(1)  # house-allow: sleep: it is the slow one",
        "# house-allow: sleep: it is the slow one\ntime.sleep(1)",
    ],
)
def test_a_line_may_break_a_rule_for_a_reason(text: str) -> None:
    """The reason stands at the end of the line, or on a line of its own above it."""
    assert lint.faults_of("bff/x.py", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "time.sleep(1)  # house-allow: sleep:",
        "time.sleep(1)  # house-allow: shell: the wrong rule",
        "x = 1  # house-allow: sleep: another line's\ntime.sleep(1)",
        "# house-allow: sleep: too far above\n\ntime.sleep(1)",
    ],
)
def test_no_reason_no_exception(text: str) -> None:
    """Without a reason, for another rule, or for another line, nothing is allowed."""
    assert [fault.rule for fault in lint.faults_of("bff/x.py", text)] == ["sleep"]


def test_a_fault_is_told_with_its_place() -> None:
    """The line that breaks the rule is the one that is named."""
    (fault,) = lint.faults_of("static/a/x.js", "const a = 1;\n\nb.innerHTML = a;\n")
    assert fault.line == 3


def test_all_of_the_repository_is_read() -> None:
    """The product, its scripts, its templates and its tests, each time that `make check` runs the rules."""
    read = {path.relative_to(SCRIPTS.parent).parts[0] for path in lint.files()}
    assert read == {"bff", "tests", "scripts", "static", "templates"}
    assert "scripts/lint_house.py" in (SCRIPTS / "check").read_text(encoding="utf-8")
