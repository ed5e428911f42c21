"""From modules, cells and objects to a graph whose parameters are bound.

Knows nothing of running: no cell is called here.
"""
