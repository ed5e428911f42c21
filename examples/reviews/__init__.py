"""What buyers wrote, rated by a model that is slow, fails, and refuses who is too many.

`cells` has the graph, `model` stands in for a service that rates a text. `runs` has the
graph computed in one process, which is killed on the way and goes on, then from the
cache, and on a Dask cluster. `test_reviews.py` does the same with fewer texts.
`README.md` shows what the program prints.

    python examples/reviews
    cd examples && python -m pytest reviews
"""
