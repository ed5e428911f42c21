"""How Sphinx builds the documentation: `nox -s docs`."""

import sys
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"

project = "aiocells"
author = "the aiocells contributors"
copyright = "2020 isbjorntrading, 2026 the aiocells contributors"
release = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"aiocells {release}"
html_static_path = ["_static"]
html_css_files = ["wrap.css"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
# In docstrings, `x` is code.
default_role = "code"

# Python's own documentation is not linked to: that would take the network to build.
# Nor is what a module of ours has beside its public names, such as type variables.
nitpick_ignore = [
    ("py:exc", "CancelledError"),
    ("py:class", "Client"),
    ("py:class", "Elapsed"),
    ("py:class", "Observer"),
]
nitpick_ignore_regex = [
    ("py:.*", rf"({'|'.join(sorted(sys.stdlib_module_names))})(\..*)?"),
    ("py:.*", r"aiocells(\.\w+)+\.\w+"),
]


def link_to_public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Link the name that a private module gives to something to its public name.

    Signatures name `aiocells._outcome.results.Results` where the reference has
    `aiocells.Results`.
    """
    module, _, name = str(node.get("reftarget", "")).rpartition(".")
    if not module.startswith("aiocells."):
        return None
    return env.domains.python_domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", f"aiocells.{name}", node, content
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect what this file adds to Sphinx."""
    app.connect("missing-reference", link_to_public_name)
    return {"parallel_read_safe": True}
