"""What the figures were measured on."""

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path

_CPU = Path("/proc/cpuinfo")


def machine() -> dict[str, str | int]:
    """The machine, the interpreter and the library, as results name them."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "aiocells": _version("aiocells"),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _cpu() -> str:
    if _CPU.exists():
        for line in _CPU.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "the checkout"
