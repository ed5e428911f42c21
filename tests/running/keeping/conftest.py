"""Where Python comes without SQLite, as in the browser, nothing is kept."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("_sqlite3") else ["test_*.py"]
