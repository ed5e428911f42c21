"""How much a benchmark does: a full run, a quick look, or a test of the benchmarks."""

import attrs


@attrs.frozen
class Effort:
    """Sizes of the workloads, and how often they are measured.

    Attributes:
        pairs: how many pairs of runs are compared, of workloads that are short.
        long_pairs: the same for those that take a large part of a second.
        interpreters: how many pairs of them tell of memory.
        least: seconds that a run lasts at least, by computing back to back.
        layered: layers and width of the layered graphs.
        first_run: cells of the graph that is computed for the first time.
        sleepers: how many cells sleep at once.
        delay: for how many seconds they sleep.
        futures: numbers of cells that each wait for a future.
        chain: lengths of chains; the longest is timed.
        building: sizes of graphs that are built.
        threads: numbers of cells that run in threads.
        resources: numbers of resources that are open at once.
        nodes: how many nodes are sorted, with three edges each.
        imports: how many pairs of interpreters import.
        growth: sizes of graphs, to see how cost grows.
        items: numbers of items of fan-outs: few, many, and as many as run once.
        cluster: how many cells run on a cluster.
        kept: how many cells are kept in a cache.
        few_pairs: how many pairs of runs, of workloads that take seconds.
        again: computations after which a graph counts as computed again and again.
    """

    pairs: int
    long_pairs: int
    interpreters: int
    least: float
    layered: tuple[tuple[int, int], ...]
    first_run: int
    sleepers: int
    delay: float
    futures: tuple[int, ...]
    chain: tuple[int, ...]
    building: tuple[int, ...]
    threads: tuple[int, ...]
    resources: tuple[int, ...]
    nodes: int
    imports: int
    growth: tuple[int, ...]
    items: tuple[int, int, int]
    cluster: tuple[int, ...]
    kept: int
    few_pairs: int
    again: int = 600


FULL = Effort(
    pairs=15,
    long_pairs=15,
    interpreters=7,
    least=0.02,
    layered=((20, 50), (100, 100)),
    first_run=10_000,
    sleepers=100_000,
    delay=1.0,
    futures=(5_000, 50_000),
    chain=(1_000, 10_000, 100_000),
    building=(1_000, 10_000, 100_000),
    threads=(1, 10, 200),
    resources=(3, 10, 50),
    nodes=100_000,
    imports=25,
    growth=(100, 1_000, 10_000, 100_000, 1_000_000),
    items=(1_000, 100_000, 1_000_000),
    cluster=(150, 1_000, 10_000),
    kept=1_000,
    few_pairs=5,
)

QUICK = attrs.evolve(
    FULL,
    pairs=3,
    long_pairs=1,
    interpreters=1,
    sleepers=20_000,
    building=(1_000, 10_000),
    imports=5,
    growth=(100, 1_000, 10_000),
    items=(1_000, 100_000, 200_000),
    cluster=(150, 1_000),
    kept=1_000,
    few_pairs=1,
)

# For the tests: every line runs, and no figure means anything.
TINY = Effort(
    pairs=1,
    long_pairs=1,
    interpreters=1,
    least=0.0,
    layered=((3, 4),),
    first_run=12,
    sleepers=10,
    delay=0.0,
    futures=(5,),
    chain=(5, 10),
    building=(20,),
    threads=(3,),
    resources=(3,),
    nodes=20,
    imports=1,
    growth=(60,),
    items=(3, 20, 21),
    cluster=(20,),
    kept=20,
    few_pairs=1,
)

NAMED = {"full": FULL, "quick": QUICK, "tiny": TINY}
