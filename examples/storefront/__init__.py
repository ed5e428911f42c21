"""A shop's front page, served with FastAPI over eight backends that are not reliable.

`cells` has the graph, `app` the service, `backends` stands in for those of a real shop:
they are slow, fail, and refuse who asks too much at once. `test_storefront.py` puts the
service under load. `README.md` shows what to request.

    python examples/storefront
    cd examples && python -m pytest storefront
"""

from storefront.app import create_app

__all__ = ["create_app"]
