"""Fan-out: a cell that calls a function once for each item of other cells' values.

`each` declares one; what is here besides runs the items of one, and knows of no graph.
"""
