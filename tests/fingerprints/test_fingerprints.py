"""Fingerprints of functions: what changes them, and what does not."""

import dis
import functools
import importlib
import os
import subprocess
import sys
import textwrap
import threading
import types
from pathlib import Path
from typing import Any

import pytest

from aiocells._fingerprints import bytecode, project
from aiocells._fingerprints.fingerprints import Fingerprints
from tests.helpers import Modules

ROOT = Path(__file__).parents[2]

MODEL = (
    "import pydantic\nclass A(pydantic.BaseModel):\n x: int = 1\n"
    " @pydantic.field_validator('x', mode='before')\n @classmethod\n"
    " def v(cls, x): return x + 2\ndef f(): return A()"
)

# A module, and what of its text is put in the place of what. The function is `f`.
CHANGES: dict[str, tuple[str, str, str]] = {
    "a constant": ("def f(x): return x + 1", "1", "2"),
    "an operator": ("def f(x): return x + 1", "+", "-"),
    "a constant that is equal": ("def f(x): return x + 1", "1", "1.0"),
    "the sign of zero": ("def f(): return 0.0", "0.0", "-0.0"),
    "a constant in a set": ("def f(x): return x in {(1, 2)}", "2", "3"),
    "text that begins a function": ("def f(): return 'a'", "'a'", "'b'"),
    "text in a generator": ("def f(x): return [*('a' + y for y in x)]", "'a'", "'b'"),
    "text in a list": ("def f(x): return ['a' + y for y in x]", "'a'", "'b'"),
    "text in a lambda": ("f = lambda: 'a'\nf.__name__ = 'f'", "'a'", "'b'"),
    "a nested function": ("def f():\n def g(): return 1\n return g", "1", "2"),
    "a class within": ("def f():\n class A: b = 1\n return A", "1", "2"),
    "what is caught": (
        "def f():\n try: g()\n except KeyError: pass",
        "KeyError",
        "OSError",
    ),
    "a default": ("def f(x=1): return x", "1", "2"),
    "a default by keyword": ("def f(*, x=1): return x", "1", "2"),
    "a name": ("def f(): return a", "a", "b"),
    "a parameter's kind": ("def f(x, y): return x", "y", "*, y"),
    "async": ("def f(): return 1", "def", "async def"),
    "a global": ("SIZE = 1\ndef f(): return SIZE", "1", "2"),
    "a global deep down": ("S = {'a': [1, {2}]}\ndef f(): return S", "2", "3"),
    "a global of a nested function": ("S = 1\ndef f(): return lambda: S", "1", "2"),
    "a global of a class within": (
        "S = 1\ndef f():\n class A: b = S\n return A",
        "1",
        "2",
    ),
    "a helper": ("def g(x): return x * 2\ndef f(x): return g(x)", "2", "3"),
    "a helper's helper": (
        "def h(): return 1\ndef g(): return h()\ndef f(): return g()",
        "1",
        "2",
    ),
    "a helper's constant": ("S = 1\ndef g(): return S\ndef f(): return g()", "1", "2"),
    "a helper in a circle": (
        "def f(n): return g(n)\ndef g(n): return n and f(n - 1)",
        "1",
        "2",
    ),
    "a helper in a list": ("def g(): return 1\nALL = [g]\ndef f(): ALL", "1", "2"),
    "a helper in a set": ("def g(): return 1\nALL = {g}\ndef f(): ALL", "1", "2"),
    "a helper with a memory": (
        "import functools\n@functools.cache\ndef g(): return 1\ndef f(): return g()",
        "1",
        "2",
    ),
    "a dispatched helper": (
        """
        import functools
        @functools.singledispatch
        def g(x): return 0
        @g.register
        def _(x: int): return 1
        def f(x): return g(x)
        """,
        "return 1",
        "return 2",
    ),
    "an argument of a partial": (
        "import functools\ndef g(x): return x\nh = functools.partial(g, 1)\n"
        "def f(): return h()",
        "1",
        "2",
    ),
    "a bound built-in": ("join = ', '.join\ndef f(x): return join(x)", ",", ";"),
    "a compiled pattern": (
        "import re\nP = re.compile('a')\ndef f(x): P.match(x)",
        "'a'",
        "'b'",
    ),
    "a closure": (
        "def make(n):\n def f(): return n\n return f\nf = make(1)",
        "1",
        "2",
    ),
    "a decorated function": (
        """
        import functools
        def twice(g):
            @functools.wraps(g)
            def inner(): return g() * 2
            return inner
        @twice
        def f(): return 1
        """,
        "return 1",
        "return 3",
    ),
    "a decorator": (
        """
        import functools
        def twice(g):
            @functools.wraps(g)
            def inner(): return g() * 2
            return inner
        @twice
        def f(): return 1
        """,
        "* 2",
        "* 3",
    ),
    "an argument of a foreign decorator": (
        """
        import contextlib
        @contextlib.contextmanager
        def f(): yield 1
        """,
        "1",
        "2",
    ),
    "a foreign function's closure": (
        "from aiocells._typing import override\n"
        "import attrs\ng = attrs.validators.in_([1])\ndef f(x): g(x)",
        "[1]",
        "[2]",
    ),
    "a method": (
        "class A:\n def m(self): return 1\ndef f(): return A().m()",
        "1",
        "2",
    ),
    "a class method": (
        "class A:\n @classmethod\n def m(cls): return 1\ndef f(): return A.m()",
        "1",
        "2",
    ),
    "a static method": (
        "class A:\n @staticmethod\n def m(): return 1\ndef f(): return A.m()",
        "1",
        "2",
    ),
    "a property": (
        "class A:\n @property\n def p(self): return 1\ndef f(): return A().p",
        "1",
        "2",
    ),
    "a cached property": (
        "import functools\nclass A:\n @functools.cached_property\n"
        " def p(self): return 1\ndef f(): return A().p",
        "1",
        "2",
    ),
    "a class constant": ("class A:\n c = 1\ndef f(): return A.c", "1", "2"),
    "a base": ("class B:\n c = 1\nclass A(B): pass\ndef f(): return A", "1", "2"),
    "a metaclass": (
        "class M(type):\n c = 1\nclass A(metaclass=M): pass\ndef f(): return A",
        "1",
        "2",
    ),
    "a field's default": (
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n x: int = 1\n"
        "def f(): return A()",
        "1",
        "2",
    ),
    "a field's factory": (
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n"
        " x: int = dataclasses.field(default_factory=lambda: 1)\ndef f(): return A()",
        "1",
        "2",
    ),
    "a field": (
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n x: int\n"
        "def f(): return A(1)",
        "x",
        "y",
    ),
    "what a dataclass compares": (
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n"
        " x: int = dataclasses.field(compare=True)\ndef f(): return A(1)",
        "True",
        "False",
    ),
    "a validator": (
        "import attrs\n@attrs.define\nclass A:\n"
        " x = attrs.field(validator=attrs.validators.gt(1))\ndef f(): return A(1)",
        "gt(1)",
        "gt(2)",
    ),
    "a converter": (
        "import attrs\n@attrs.define\nclass A:\n"
        " x = attrs.field(converter=lambda x: x + 1)\ndef f(): return A(1)",
        "+ 1",
        "+ 2",
    ),
    "a method of a dataclass": (
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n x: int\n"
        " def m(self): return 1\ndef f(a): return A(a).m()",
        "1",
        "2",
    ),
    "a field of pydantic": (
        MODEL,
        "int",
        "float",
    ),
    "a default of pydantic": (MODEL, "1", "3"),
    "a validator of pydantic": (MODEL, "+ 2", "+ 3"),
    "when pydantic validates": (MODEL, "before", "after"),
    "a value of an enumeration": (
        "import enum\nclass E(enum.Enum):\n A = 1\ndef f(): return E.A.value",
        "1",
        "2",
    ),
    "a method of an enumeration": (
        "import enum\nclass E(enum.Enum):\n A = 1\n def m(self): return 2\n"
        "def f(): return E.A.m()",
        "return 2",
        "return 3",
    ),
    "an enumeration's member by name": (
        "import enum\nclass E(enum.Enum):\n A = 1\n B = 1\n C = 2\nX = E.A\n"
        "def f(): return X",
        "X = E.A",
        "X = E.C",
    ),
    "the code of a constant's class": (
        "class A:\n def m(self): return 1\nX = A()\ndef f(): return X.m()",
        "1",
        "2",
    ),
}

# What leaves the fingerprint as it was.
SAME: dict[str, tuple[str, str, str]] = {
    "a docstring": ("def f():\n 'one'\n return 1", "one", "two"),
    "a nested docstring": (
        "def f():\n def g():\n  'one'\n  return 1\n return g",
        "one",
        "two",
    ),
    "a class's docstring": (
        "class A:\n 'one'\n c = 1\ndef f(): return A",
        "one",
        "two",
    ),
    "a comment": ("def f():\n # one\n return 1", "# one", "# two\n # three"),
    "lines before": ("x = 1\ndef f(): return 1", "x = 1", "\n\nx = 2"),
    "an annotation": ("def f(x: int): return x", "int", "str"),
    "another function": ("def g(): return 2\ndef f(): return 1", "2", "3"),
    "an attribute that bears the name of another": (
        "def g(): return 2\ndef f(x): return x.g()",
        "2",
        "3",
    ),
    "a mark": ("@cell\ndef f(): return 1", "@cell", "@cell(timeout=3)"),
    "a mark on a helper": (
        "@cell\ndef g(): return 1\ndef f(): return g()",
        "@cell",
        "",
    ),
    "a lock's place": (
        "import threading\nLOCK = threading.Lock()\ndef f(): return LOCK",
        "Lock()",
        "Lock()  # new",
    ),
}


def fingerprint(module: types.ModuleType) -> str:
    """That of the function `f` of a module."""
    return Fingerprints().of(module.f).hex()


def before_and_after(modules: Modules, change: tuple[str, str, str]) -> list[str]:
    """Two fingerprints, before and after a change."""
    source, old, new = change
    if source is MODEL:
        pytest.importorskip("pydantic")
    source = textwrap.dedent(source)
    assert old in source
    made = []
    for text in (source, source.replace(old, new)):
        made.append(fingerprint(modules.make("changing", text)))
        # A file that is written within the second may be taken for the one before.
        Path(importlib.util.cache_from_source("changing.py")).unlink(missing_ok=True)
    return made


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_fingerprint(modules: Modules, change: str) -> None:
    """The function's code, and all that it uses of the project."""
    before, after = before_and_after(modules, CHANGES[change])
    assert before != after


@pytest.mark.parametrize("change", SAME)
def test_what_does_not_change_a_fingerprint(modules: Modules, change: str) -> None:
    """What the function does not do, or does not use."""
    before, after = before_and_after(modules, SAME[change])
    assert before == after


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_so_in_a_session_too(change: str) -> None:
    """Where code is run as text, and has no file."""
    source, old, new = CHANGES[change]
    if source is MODEL:
        pytest.importorskip("pydantic")
    source = textwrap.dedent(source)
    made = set()
    for text in (source, source.replace(old, new)):
        module = types.ModuleType("session")
        sys.modules["session"] = module
        try:
            exec(compile(text, "<stdin>", "exec"), vars(module))
            made.add(fingerprint(module))
        finally:
            del sys.modules["session"]
    assert len(made) == 2


@pytest.mark.needs_processes
@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_gives_the_same_fingerprints(
    modules: Modules, seed: str
) -> None:
    """Whatever the seed of hashes, and in whatever order they are asked for."""
    names = []
    pytest.importorskip("pydantic")
    for at, (source, _, _) in enumerate([*CHANGES.values(), *SAME.values()]):
        names.append(f"told_{at}")
        modules.write(names[-1], source)
    script = (
        "import sys, importlib; from aiocells._fingerprints.fingerprints import *\n"
        "fingerprints = Fingerprints()\n"
        "found = {name: fingerprints.of(importlib.import_module(name).f).hex()\n"
        "         for name in reversed(sys.argv[1:])}\n"
        "print(*(found[name] for name in sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *names],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=True,
    )
    fingerprints = Fingerprints()
    expected = [
        fingerprints.of(importlib.import_module(name).f).hex() for name in names
    ]
    assert done.stdout.split() == expected


HELPERS = """
SIZE = 2
def scale(x): return x * SIZE
"""


@pytest.mark.parametrize(
    "source",
    [
        "import helpers\ndef f(x): return helpers.scale(x)",
        "import helpers as h\ndef f(x): return [h.scale(y) for y in x]",
        "from helpers import scale\ndef f(x): return scale(x)",
        "def f(x):\n import helpers\n return helpers.scale(x)",
        "def f(x):\n from helpers import scale as s\n return s(x)",
        "def f(x):\n def g():\n  from helpers import scale\n  return scale\n return g",
        "import helpers\ndef g(x): return helpers.scale(x)\ndef f(x): return g(x)",
        "import helpers\ndef f(): return helpers.SIZE",
    ],
)
def test_a_helper_of_another_module_counts(modules: Modules, source: str) -> None:
    """However it is imported, at the head of the module or in the function."""
    made = set()
    for size in ("2", "3"):
        modules.write("helpers", HELPERS.replace("2", size))
        Path(importlib.util.cache_from_source("helpers.py")).unlink(missing_ok=True)
        made.add(fingerprint(modules.make("helped", source)))
    assert len(made) == 2


@pytest.mark.parametrize(
    "source",
    [
        "from . import tools\ndef f(x): return tools.scale(x)",
        "import shop.tools\ndef f(x): return shop.tools.scale(x)",
        "import shop\nfrom shop import tools\ndef f(x): return shop.tools.scale(x)",
        "def f(x):\n from . import tools\n return tools.scale(x)",
        "def f(x):\n from .tools import scale\n return scale(x)",
        "def f(x):\n import shop.tools as t\n return t.scale(x)",
        "def f(x):\n import shop.tools\n return shop.tools.scale(x)",
    ],
)
def test_a_helper_in_the_own_package_counts(modules: Modules, source: str) -> None:
    """Also where it is not loaded before the function runs."""
    made = set()
    modules.write("shop.__init__", "")
    for size in ("2", "3"):
        modules.write("shop.tools", HELPERS.replace("2", size))
        Path(importlib.util.cache_from_source("shop/tools.py")).unlink(missing_ok=True)
        made.add(fingerprint(modules.make("shop.till", source)))
    assert len(made) == 2


def test_what_cannot_be_imported_counts_by_its_name(modules: Modules) -> None:
    """The function may never come to its import statement."""
    modules.write("broken", "1 / 0")
    one = modules.make("one", "def f():\n import broken, nowhere\n from ... import a")
    expected = fingerprint(one)
    modules.write("broken", "2 / 0")
    assert fingerprint(one) == expected


def test_what_is_foreign_counts_by_name_and_version(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its code is not read; another version is another fingerprint."""
    module = modules.make(
        "user",
        "import attrs, json\nfrom attrs import evolve\n"
        "def f(x):\n import asyncio, attr\n return evolve(x), attrs.asdict, json.dumps",
    )
    parts = Fingerprints().parts(module.f)
    assert list(parts) == ["user.f"]
    before = fingerprint(module)
    monkeypatch.setattr(project.importlib.metadata, "version", lambda _: "99")
    project.version_of.cache_clear()
    after = fingerprint(module)
    monkeypatch.undo()
    project.version_of.cache_clear()
    assert before != after
    assert fingerprint(module) == before


def test_versions_are_those_of_what_was_installed() -> None:
    """Also where the package bears another name than its modules; "" for the rest."""
    installed = importlib.metadata.version("attrs")
    assert project.version_of("attrs.validators") == installed
    assert project.version_of("attr") == installed
    assert project.version_of("json.decoder") == ""
    assert project.version_of("tests.helpers") == ""


def test_which_modules_are_of_the_project(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither Python's, nor installed, nor ours; loaded or not."""
    modules.write("turtle", "x = 1")  # it bears the name of one of Python's
    modules.write("space.inner", "x = 1")
    modules.blank("made")
    site = modules.folder / "lib" / "site-packages"
    site.mkdir(parents=True)
    (site / "strange.py").write_text("x = 1", encoding="utf-8")
    monkeypatch.syspath_prepend(site)
    told = project.Project()
    own = ["turtle", "space", "space.inner", "made", "__main__", "tests.helpers", None]
    assert [name for name in own if not told.is_own(name)] == []
    foreign = ["json", "sys", "attr", "aiocells.errors", "strange", "builtins"]
    foreign += ["hypothesis.strategies", "strange.missing"]
    assert [name for name in foreign if told.is_own(name)] == []
    importlib.import_module("space.inner")
    importlib.import_module("strange")
    told = project.Project()
    assert [name for name in own if not told.is_own(name)] == []
    assert not told.is_own("strange")
    assert project.Project().is_own("nowhere.to.be.found")
    assert told.is_own("__mp_main__")


def test_a_fingerprint_does_not_depend_on_where_one_begins(modules: Modules) -> None:
    """Functions that call each other in a circle have the same in whatever order."""
    circle = modules.make(
        "circle",
        "def f(n): return g(n)\ndef g(n): return h(n)\ndef h(n): return f(n), g(n)",
    )
    functions = [circle.f, circle.g, circle.h]
    there, back = Fingerprints(), Fingerprints()
    forth = [there.of(each) for each in functions]
    assert forth == [back.of(each) for each in reversed(functions)][::-1]
    assert len(set(forth)) == 3


def test_what_runs_in_between_changes_nothing(modules: Modules) -> None:
    """Neither running the function, nor pickling, hashing or dispatching."""
    module = modules.make(
        "used",
        """
        import attrs, enum, functools, pickle
        @attrs.frozen
        class A:
            x: int
            def m(self): return self.x
        class Plain:
            "No slots."
        class E(enum.Flag):
            A = 1
            B = 2
        @functools.singledispatch
        def show(x): return str(x)
        def f(n):
            hash(A(n)), pickle.dumps(Plain()), E.A | E.B, E(3)
            return [show(A(n).m()) for _ in range(100)]
        """,
    )
    before = fingerprint(module)
    for _ in range(100):
        module.f(1)
    assert fingerprint(module) == before


def test_what_has_no_digest_counts_by_its_type(modules: Modules) -> None:
    """A lock or client that is a global, default, closure or class attribute."""
    module = modules.make(
        "locks",
        """
        import threading
        LOCK = threading.Lock()
        class A:
            lock = LOCK
        def make(inner):
            def f(x=LOCK, *, y=LOCK): return LOCK, inner, A
            return f
        f = make(LOCK)
        """,
    )
    fingerprints = Fingerprints()
    before = fingerprints.of(module.f)
    named = ["defaults", "keyword defaults", "inner", "locks.LOCK", "locks.A.lock"]
    assert fingerprints.opaque(module.f) == named
    module.LOCK = threading.Lock()
    assert Fingerprints().of(module.f) == before
    module.LOCK = threading.Event()
    assert Fingerprints().of(module.f) != before


def test_parts_tell_which_function_changed(modules: Modules) -> None:
    """Each function and class by its name, with what it says itself."""
    source = """
    class Order:
        def total(self): return 1
    def scale(x): return x + 2
    def f(x: Order): return scale(x), Order
    """
    before = Fingerprints().parts(modules.make("parts", source).f)
    Path(importlib.util.cache_from_source("parts.py")).unlink(missing_ok=True)
    changed = modules.make("parts", source.replace("+ 2", "+ 3"))
    after = Fingerprints().parts(changed.f)
    assert [*before] == ["parts.f", "parts.scale", "parts.Order", "parts.Order.total"]
    assert [name for name in before if before[name] != after[name]] == ["parts.scale"]


def test_a_function_that_is_not_there_yet(modules: Modules) -> None:
    """A closure may be empty, and a global missing, when it is asked for."""
    module = modules.make(
        "early",
        "def make():\n def f(): return inner, nowhere\n g = f\n"
        " if 0: inner = 1\n return g\nf = make()",
    )
    before = fingerprint(module)
    module.nowhere = 1
    assert fingerprint(module) != before


def test_methods_and_partials_have_fingerprints() -> None:
    """With the object, and what is fixed, by value."""

    class Shop:
        def __init__(self, rate: Any) -> None:
            self.rate = rate

        def price(self, net: float) -> float:
            return net * float(self.rate)

    of = Fingerprints().of
    assert of(Shop(1).price) == of(Shop(1).price) != of(Shop(2).price)
    one = functools.partial(Shop.price, Shop(1))
    one.__aiocells__ = 7  # type: ignore[attr-defined]
    assert of(one) == of(functools.partial(Shop.price, Shop(1)))
    assert of(one) != of(functools.partial(Shop.price, Shop(2)))
    called = Shop(1)
    called.__aiocells__ = 7  # type: ignore[attr-defined]
    assert of(called) == of(Shop(1))


def test_globals_are_read_as_dis_reads_them() -> None:
    """The names that functions look up in their modules, whatever their size."""
    many = "def f(): return " + "+".join(f"n{at}" for at in range(300))
    within = "def f():\n class A:\n  x = y\n  def g(self): return z\n return A"
    codes = [compile(text, "<text>", "exec") for text in (many, within)]
    for module in (bytecode, textwrap, threading):
        codes += [each.__code__ for each in vars(module).values() if callable_(each)]
    loads = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
    for code in [inner for each in codes for inner in bytecode._with_nested(each)]:
        expected = [
            each.argval for each in dis.get_instructions(code) if each.opname in loads
        ]
        assert [*bytecode._globals_of(code)] == expected


def callable_(value: Any) -> bool:
    """Whether it is a function in Python."""
    return isinstance(value, types.FunctionType)


def test_what_code_says_is_kept_while_the_code_lives() -> None:
    """And no longer."""
    known = len(bytecode._known)
    namespace: dict[str, Any] = {}
    exec("def f(): return 1", namespace)
    function = namespace.pop("f")
    found = bytecode.bytecode_of(function.__code__)
    assert bytecode.bytecode_of(function.__code__) is found
    assert len(bytecode._known) == known + 1
    del function
    assert len(bytecode._known) == known
