"""Values that outlive the process: where they are kept, and how they are found.

It knows nothing of graphs, plans and runs.
"""
