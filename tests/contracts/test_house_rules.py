"""The house rules that a syntax tree can show.

Each rule is itself tried on a snippet that breaks it. A rule takes a module's tree
and yields (line, what is wrong); CONTRIBUTING.md gives the rules in short.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "radiogenomics"
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_POSITIONAL = 3

Offence = tuple[int, str]
Rule = Callable[[ast.Module], Iterator[Offence]]
Function = ast.FunctionDef | ast.AsyncFunctionDef

BROAD = {"Exception", "BaseException"}
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load"}
UNSAFE_CALLS |= {"pd.eval", "pd.read_pickle", "joblib.load", "joblib.dump"}
MUTABLE_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MUTABLE_CALLS = {"list", "dict", "set", "bytearray", "defaultdict", "OrderedDict", "deque"}
CALLED_BY_USERS = {"__init__", "__new__", "__call__"}
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "stuff"}


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of names, else the empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def public_definitions(
    body: list[ast.stmt], *, in_class: bool = False
) -> Iterator[tuple[ast.ClassDef | Function, bool]]:
    """Public classes, functions and methods; never what a function holds inside."""
    for node in body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node, in_class
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, in_class=True)


def public_functions(tree: ast.Module) -> Iterator[tuple[Function, bool]]:
    """What a user calls: public functions, public methods, and how public classes are made."""
    for node, in_class in public_definitions(tree.body):
        if isinstance(node, Function):
            yield node, in_class
        else:
            made = (n for n in node.body if isinstance(n, Function) and n.name in CALLED_BY_USERS)
            yield from ((method, True) for method in made)


def import_time_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run on import at module level, inside `if`, `try`, `with` and loops too."""
    for node in body:
        yield node
        if not isinstance(node, ast.ClassDef | Function):
            for field in ("body", "orelse", "finalbody"):
                yield from import_time_statements(getattr(node, field, []))
            for handler in getattr(node, "handlers", []):
                yield from import_time_statements(handler.body)


def long_functions(tree: ast.Module) -> Iterator[Offence]:
    """No function over 60 lines, docstring included."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {lines} lines"


def missing_docstrings(tree: ast.Module) -> Iterator[Offence]:
    """Every module, public class and public function says what it is."""
    if ast.get_docstring(tree) is None:
        yield 1, "module without docstring"
    for node, _ in public_definitions(tree.body):
        overload = any(dotted(d).endswith("overload") for d in node.decorator_list)
        accessor = any(dotted(d).endswith((".setter", ".deleter")) for d in node.decorator_list)
        if ast.get_docstring(node) is None and not overload and not accessor:
            yield node.lineno, f"{node.name} without docstring"


def prints(tree: ast.Module) -> Iterator[Offence]:
    """No print: the log and the command line speak."""
    yield from ((node.lineno, "print(") for node, name in calls(tree) if name == "print")


def broad_excepts(tree: ast.Module) -> Iterator[Offence]:
    """No bare `except:`, no `except Exception:`: catch what you can mend.

    `except BaseException:` may clean up when it ends with a bare `raise`, which hides nothing.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = ["" if kind is None else dotted(kind) for kind in caught]
            last = node.body[-1]
            hides = not (isinstance(last, ast.Raise) and last.exc is None)
            if None in caught or BROAD & set(names) and (hides or names != ["BaseException"]):
                yield node.lineno, "catches everything"


def unsafe_calls(tree: ast.Module) -> Iterator[Offence]:
    """No pickle, eval, exec or yaml.load: data never becomes code."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            if name.split(".")[0] in UNSAFE_MODULES:
                yield node.lineno, f"imports {name}"
    for node, name in calls(tree):
        if name in UNSAFE_CALLS:
            yield node.lineno, f"calls {name}"
        for keyword in node.keywords:
            allowed = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            if keyword.arg == "allow_pickle" and not allowed:
                yield node.lineno, "allow_pickle"


def option_bags(tree: ast.Module) -> Iterator[Offence]:
    """No `**kwargs` in a public function: a misspelt option must fail."""
    for node, _ in public_functions(tree):
        if node.args.kwarg is not None:
            yield node.lineno, f"{node.name}(**{node.args.kwarg.arg})"


def many_positionals(tree: ast.Module) -> Iterator[Offence]:
    """At most three positional arguments in a public function, the rest keyword-only."""
    for node, in_class in public_functions(tree):
        static = any(dotted(d) == "staticmethod" for d in node.decorator_list)
        count = len(node.args.posonlyargs) + len(node.args.args) - (in_class and not static)
        if count > MAX_POSITIONAL:
            yield node.lineno, f"{node.name} takes {count} positional arguments"


def is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Tuple):
        return any(is_mutable(element) for element in value.elts)
    if isinstance(value, ast.Call):
        return dotted(value.func).rpartition(".")[2] in MUTABLE_CALLS
    return isinstance(value, MUTABLE_DISPLAYS)


def mutable_state(tree: ast.Module) -> Iterator[Offence]:
    """No list, dict or set lives at module level, whatever its name, but for ``__all__``.

    Constants are tuples, frozensets, or dicts wrapped in ``types.MappingProxyType``. `global` is
    not used.
    """
    for node in import_time_statements(tree.body):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and is_mutable(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [ast.unparse(target) for target in targets]
            if names != ["__all__"]:
                yield node.lineno, f"{', '.join(names)} is mutable"
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Global):
            yield inner.lineno, f"global {', '.join(inner.names)}"


def logging_set_up(tree: ast.Module) -> Iterator[Offence]:
    """The application sets logging up, a library never."""
    for node, name in calls(tree):
        if name in {"logging.basicConfig", "logging.config.dictConfig", "logging.disable"}:
            yield node.lineno, name


def asserts(tree: ast.Module) -> Iterator[Offence]:
    """Never `assert` for users: raise an error of core.errors."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield node.lineno, "assert"


RULES: tuple[Rule, ...] = (
    long_functions,
    missing_docstrings,
    prints,
    broad_excepts,
    unsafe_calls,
    option_bags,
    many_positionals,
    mutable_state,
    logging_set_up,
    asserts,
)


@pytest.fixture(scope="module")
def modules() -> dict[Path, str]:
    """Source of every file of the package, by its path inside the checkout."""
    found = {p.relative_to(PACKAGE.parent): p.read_text("utf-8") for p in PACKAGE.rglob("*.py")}
    assert found, f"no package at {PACKAGE}"
    return found


def report(offences: list[str], rule: str) -> None:
    if offences:
        pytest.fail(f"{rule}\n" + "\n".join(sorted(offences)), pytrace=False)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_package_keeps_rule(rule: Rule, modules: dict[Path, str]) -> None:
    offences = [
        f"{path}:{line}: {what}"
        for path, source in modules.items()
        for line, what in rule(ast.parse(source, filename=str(path)))
    ]
    report(offences, rule.__doc__ or rule.__name__)


def test_files_are_short(modules: dict[Path, str]) -> None:
    lengths = {path: len(source.splitlines()) for path, source in modules.items()}
    long = [f"{path}: {n} lines" for path, n in lengths.items() if n > MAX_FILE_LINES]
    report(long, f"No file over {MAX_FILE_LINES} lines: it holds more than one idea")


def test_names_say_what_is_inside(modules: dict[Path, str]) -> None:
    vague = [str(p) for p in modules if VAGUE_NAMES & {*p.parent.parts, p.stem}]
    report(vague, "A module is named after what it does")


BREAKING = {
    long_functions: '"""M."""\ndef f():\n' + "    x = 1\n" * MAX_FUNCTION_LINES,
    missing_docstrings: '"""M."""\nclass A:\n    """A."""\n    def m(self): return 1\n',
    prints: "def f():\n    print(1)\n",
    broad_excepts: "try:\n    x = 1\nexcept (ValueError, Exception):\n    x = 2\n",
    unsafe_calls: "import yaml\nyaml.load('x')\n",
    option_bags: "class A:\n    def __init__(self, **options): self._options = options\n",
    many_positionals: "class A:\n    def fit(self, a, b, c, d): return self\n",
    mutable_state: "try:\n    CACHE: dict = {}\nexcept ImportError:\n    CACHE = None\n",
    logging_set_up: "import logging\nlogging.basicConfig()\n",
    asserts: "def f(x):\n    assert x > 0\n",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_sees_what_breaks_it(rule: Rule) -> None:
    assert len(list(rule(ast.parse(BREAKING[rule])))) == 1


@pytest.mark.parametrize(
    "caught", ["", " Exception", " BaseException", " (OSError, BaseException)"]
)
def test_broad_except_is_seen_in_each_form(caught: str) -> None:
    tree = ast.parse(f"try:\n    x = 1\nexcept{caught}:\n    x = 2\n")
    assert list(broad_excepts(tree))


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nx = np.load('f.npy', allow_pickle=False)\n",
        "from types import MappingProxyType\nUNITS = MappingProxyType({'mm': 1.0})\n",
        "__all__ = ['a', 'b']\n",
        "ORDER = ('a', 'b')\nKNOWN = frozenset({'a'})\n",
        "class A:\n    '''A.'''\n    def __init__(self, a, b, c, *, d): self.d = d\n",
        "def _private(a, b, c, d, **kwargs):\n    return kwargs\n",
        "def f(a, b, c, *, d=1):\n    '''F.'''\n    cache = {}\n    return cache\n",
        "try:\n    x = 1\nexcept (ValueError, KeyError):\n    x = 2\n",
        "try:\n    x = 1\nexcept BaseException:\n    x = 2\n    raise\n",
    ],
)
def test_rules_let_good_code_pass(source: str) -> None:
    tree = ast.parse('"""M."""\n' + source)
    assert not [offence for rule in RULES for offence in rule(tree)]
