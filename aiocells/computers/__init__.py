"""The computers: the public functions that run a graph, and the options they take.

Each takes a graph and, by keyword, those of these options that are in its signature.
An option means the same in every computer that has it.

`targets=None`
    Cells or names: compute these and what they need, be it for its value or for the
    order only. All cells, if left out. With targets, the value of any other cell is
    let go after its last use.
`inputs=None`
    Values of the inputs, by name. One that only cells beyond the targets want is
    accepted; one that no cell of the graph wants is refused.
`overrides=None`
    Values in place of cells, by cell or name. An overridden cell does not run, and
    neither does what only it needs.
`on_error="raise"`
    When a cell fails: `"raise"` stops, and raises the first failure itself;
    `"group"` stops, and raises an `ExceptionGroup` of all; `"continue"` runs all that
    does not depend on a failed cell, and leaves the failures to the results. What falls
    back, and what only such cells need, is no failure under any of them.
`observers=()`
    Called with an `Event` for what happens to each cell: see `aiocells.observers`.
`cache=None`
    A `Cache`: the values of cells with `@cell(cache=...)` are found there, and kept.
`max_concurrency=None`
    How many cells may run at once; any number, if left out.
`limits=None`
    How many cells of each limit may run at once, by the name in `@cell(limit=...)`; or
    an async context manager that many can enter, such as `asyncio.Semaphore(10)`, which
    holds for all computations that are given it. Every limit that a cell names must be
    given, unless the computer runs one cell at a time, and the option is left out.
`executors=None`
    The executors that cells ask for, by the name in `@cell(run_in=...)`. They are not
    closed.
`watchdog=0.05`
    Seconds for which a plain cell may hold up the event loop before that is logged,
    once for each cell; None for never.

What they return are the `Results`: the values of the targets, in order. What they
raise is

- a `GraphException`, if something is wrong with the graph or the options, or a
  `TypeError` or `ValueError`, if an option is nothing of the kind that it must be; no
  cell has run then;
- what a cell raised, unchanged but for a note that names it; `failures` gives all of
  them by cell;
- `CancelledError`, if the computation was cancelled; what ran was cancelled and
  awaited.
"""

# This room holds no mechanism: that is in `_running`.
