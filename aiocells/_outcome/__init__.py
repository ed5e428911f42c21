"""What a computation leaves behind: results and failures.

Knows nothing of how cells are run.
"""
