"""The command line shows no secrets."""

import json

import pytest

from tests.command_line import printed, refused, run
from tests.helpers import Modules

pytest.importorskip("pydantic")  # it reads what --set gives to an int

VAULT = """\
    import dataclasses
    import enum
    from collections import defaultdict

    @dataclasses.dataclass
    class Login:
        user: str
        password: str

    class Header(str, enum.Enum):
        AUTH = "Authorization"

    @cell(secret=True)
    def key() -> str:
        return "hunter2"

    @cell
    def api_key(): return ["hunter2"]

    @cell(secret=False)
    def token(): return "shown"

    @cell
    def config(): return {"user": "ann", "deep": [({"Auth": "hunter2"},)], "one": [1]}

    @cell
    def login(): return [Login("ann", "hunter2"), defaultdict(str, {b"dsn": "hunter2"})]

    @cell
    def headers(): return {Header.AUTH: "hunter2", 1: 2}

    @cell
    def plain(): return {"a": [1, {"b": 2}]}

    @cell
    def pin(password: int, code: int = 3): return code
"""


def test_results_that_are_secret_are_not_printed(modules: Modules) -> None:
    """All of them, or the one that was asked for; entries of dicts too."""
    path = str(modules.write("vault", VAULT))
    shown = printed("run", path, "--set", "password=12")
    assert "hunter2" not in shown
    assert shown.count("•••") == 5
    assert "shown" in shown
    assert "'user': 'ann'" in shown
    assert "{'a': [1, {'b': 2}]}" in shown
    assert "'Auth': •••" in printed("run", f"{path}:config")
    assert "'Authorization'>: •••, 1: 2}" in printed("run", f"{path}:headers")
    assert "Login(user='ann', password=•••)" in printed("run", f"{path}:login")
    assert printed("run", f"{path}:key") == "•••\n"
    assert printed("run", f"{path}:token") == "shown\n"


def test_results_that_are_secret_are_not_in_json(modules: Modules) -> None:
    """In their place stands a text; so it does in what objects hold."""
    path = str(modules.write("vault", VAULT))
    shown = json.loads(printed("run", path, "--json", "--set", "password=12"))
    assert shown == {
        "key": "•••",
        "api_key": "•••",
        "token": "shown",
        "config": {"user": "ann", "deep": [[{"Auth": "•••"}]], "one": [1]},
        "login": [{"user": "ann", "password": "•••"}, {"b'dsn'": "•••"}],
        "headers": {"Authorization": "•••", "1": 2},
        "plain": {"a": [1, {"b": 2}]},
        "pin": 3,
    }


ODD = """
@cell
def pairs(): return {1: "a", "1": "b", "token": "hunter2"}

class Odd(dict):
    def items(self): raise RuntimeError

@cell
def odd(): return [{"token": "hunter2"}, Odd()]

@cell
def deep():
    value = {"token": "hunter2"}
    for _ in range(52): value = [value]
    return value
"""


def test_values_that_are_no_json_have_no_secrets_either(modules: Modules) -> None:
    """Dicts whose keys are alike as text, objects that fail, what is too deep."""
    path = str(modules.write("odd", ODD))
    text = printed("run", path, "--json")
    assert "hunter2" not in text
    shown = json.loads(text)
    assert shown["pairs"] == [[1, "a"], ["1", "b"], ["token", "•••"]]
    assert shown["odd"] == "[{'token': •••}, {}]"


def test_what_set_gives_to_a_secret_input_is_not_printed(modules: Modules) -> None:
    """Where it cannot be read, the message has neither it nor the reason."""
    path = str(modules.write("vault", VAULT))
    told = refused("run", f"{path}:pin", "--set", "password=hunter2")
    assert "wants int, which cannot be read from •••." in told
    assert "hunter2" not in told
    told = run("run", f"{path}:pin", "--set", "password=@hunter2").stderr
    assert "hunter2" not in told
    assert "write '@@•••'" in told
    told = refused("run", f"{path}:pin", "--set", "password=1", "--set", "code=abc")
    assert "cannot be read from 'abc'. " in told
