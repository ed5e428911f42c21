"""Nodes, edges, and their order.

Knows nothing of parameters: what a node is called with is for others to say.
"""
