"""What every computer shares: preparing, one run, its observers and resources.

The rooms inside are the ways to run: `loops` in order, `tasks` on an event loop,
`elsewhere` in threads and processes. Knows no public function.
"""
