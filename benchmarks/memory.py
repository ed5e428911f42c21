"""How much memory this process takes from the system, at its peak."""

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def peak_bytes() -> int:
    """The most that was resident, since the last `reset_peak` where there is one."""
    if _STATUS.exists():
        return _from_status("VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def resident_bytes() -> int:
    """What is resident now; where the system does not tell, the peak so far."""
    return _from_status("VmRSS") if _STATUS.exists() else peak_bytes()


def reset_peak() -> int:
    """Have the peak start from what is resident now, on Linux; gives what that is."""
    if _CLEAR.exists():
        _CLEAR.write_text(_RESET_PEAK)
    return resident_bytes()


def _from_status(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    msg = f"{_STATUS} has no {field}."
    raise LookupError(msg)
