"""What the decorators write down about a function, and how it is read.

Knows no graph: it looks at one function at a time.
"""
