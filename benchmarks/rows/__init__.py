"""The rows of the table, one file for each kind of workload.

Each file has `GROUP`, the name that `--only` takes, and `rows(effort)`, which measures.
"""

# The files by the name of their group, in the order of the table.
GROUPS = {
    "small": "small",
    "page": "page",
    "sequential": "sequential",
    "ordering": "ordering",
    "concurrent": "concurrent",
    "sleeping": "sleeping",
    "futures": "futures",
    "chain": "chain",
    "building": "building",
    "toposort": "toposort",
    "reading": "reading",
    "observing": "observing",
    "threads": "threads",
    "resources": "resources",
    "optional": "optional",
    "fan-out": "fanning",
    "cache": "keeping",
    "cluster": "cluster",
    "import": "importing",
}
