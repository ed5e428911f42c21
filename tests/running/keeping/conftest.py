"""In the browser nothing is kept: packages have no known place there."""

from tests.helpers import IN_BROWSER

collect_ignore_glob = ["test_*.py"] if IN_BROWSER else []
