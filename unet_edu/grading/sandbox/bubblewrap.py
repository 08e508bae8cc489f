"""The command line of the sandbox: bubblewrap with its namespaces, what it shows, and the limits of one process."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack

from unet_edu.grading.sandbox import seccomp, view
from unet_edu.grading.sandbox.limits import USUAL, Limits, SandboxError
from unet_edu.grading.text import one_line

__all__ = ["ENVIRONMENT", "MOST_SAID", "THREADS", "bubblewrap", "limited", "require"]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "USER": "student",
    "MPLBACKEND": "agg",
    # a `!pip install` fails at once, and in few words
    "PIP_NO_INDEX": "1",
    "PIP_RETRIES": "0",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    **dict.fromkeys(THREADS, "1"),  # many notebooks at a time keep the machine busy; and sums come out the same
}
MOST_SAID = 500  # letters of what a program said, in a sentence
PASSWD = b"student:x:1000:1000::/tmp:/bin/sh\n"
GROUP = b"student:x:1000:\n"

BY_HAND = "For notebooks that you trust as you trust your own programs, there is --unsafe."
INSTALL = "Debian and Ubuntu: sudo apt install bubblewrap; Fedora: sudo dnf install bubblewrap."
ALLOW = (
    "It needs bubblewrap 0.8 or newer and user namespaces. Ubuntu 24.04 allows these with "
    "`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`; Docker with "
    "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined`."
)


def require() -> None:
    """Raise SandboxError, whose text says what to do, unless a sandbox works on this machine."""
    with ExitStack() as stack:
        command, files = bubblewrap(USUAL, stack)
        command += [*limited(USUAL, unsafe=False), "/bin/true"]
        tried = subprocess.run(
            command, env={}, pass_fds=files, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    if tried.returncode:
        said = one_line(tried.stderr.decode(errors="replace"), MOST_SAID)
        raise SandboxError(f"bubblewrap does not work here: {said} {ALLOW} {BY_HAND}")


def bubblewrap(limits: Limits, stack: ExitStack) -> tuple[list[str], list[int]]:
    """bwrap and its options, and the numbers of the files that it reads. They are open until the stack ends.

    Raises
    ------
    SandboxError
        When there can be no sandbox on this machine.
    """
    if platform.system() != "Linux":
        raise SandboxError(f"The sandbox needs Linux (on Windows: WSL 2); this is {platform.system()}. {BY_HAND}")
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError(f"The sandbox needs the program bwrap, which is not here. {INSTALL} {BY_HAND}")
    try:
        shown, filters = view.bindings(), seccomp.program()
    except (view.ViewError, ValueError) as error:
        raise SandboxError(f"The sandbox cannot be made on this machine: {error} {BY_HAND}") from error
    files = [_pipe_with(data, stack) for data in (PASSWD, GROUP, filters)]
    passwd, group, calls = map(str, files)
    half = str(limits.disk // 2)
    environment = {**ENVIRONMENT, "PATH": f"{sys.prefix}/bin:/usr/bin:/bin"}
    command = [
        program,
        *("--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL", "--uid", "1000", "--gid", "1000"),
        *("--hostname", "course", "--new-session", "--as-pid-1", "--clearenv"),
        *(word for name, value in environment.items() for word in ("--setenv", name, value)),
        # When root grades, the notebook is root to the kernel's files in /proc: what others may not read there, it may
        # not, nor write.
        *("--proc", "/proc", *view.kernel_secrets(), "--remount-ro", "/proc"),
        *("--dev", "/dev", "--size", half, "--tmpfs", "/dev/shm", "--size", half, "--tmpfs", "/tmp"),
        *shown,
        *("--ro-bind-data", passwd, "/etc/passwd", "--ro-bind-data", group, "/etc/group"),
        *("--remount-ro", "/dev", "--remount-ro", "/"),  # or these two would hold files without bound
        *("--chdir", "/tmp", "--seccomp", calls),
    ]
    return command, files


def limited(limits: Limits, *, unsafe: bool) -> list[str]:
    """A command that sets the limits of one process and of its children, and then becomes the command behind it."""
    program = shutil.which("prlimit")
    if program is None:
        if unsafe:
            return []
        raise SandboxError(f"The sandbox needs the program prlimit, of util-linux, which is not here. {BY_HAND}")
    options = {
        # Who asks for too much at once gets a MemoryError; who takes it bit by bit meets the watchdog first, which says
        # what happened. It is not the address space that is limited: PyTorch for CUDA alone maps more than that of
        # files that it never reads.
        "data": limits.memory * 5 // 4,
        "cpu": f"{limits.cpu}:{limits.cpu + 5}",  # SIGXCPU, then SIGKILL
        "fsize": limits.disk,
        "nofile": limits.files,
        "core": 0,
    }
    if not unsafe and _kernel() >= (5, 14):  # older ones count all that the grader's user runs on this machine
        options["nproc"] = limits.processes
    return [program, *(f"--{name}={value}" for name, value in options.items()), "--"]


def _pipe_with(data: bytes, stack: ExitStack) -> int:
    """The number of an open file that holds the bytes. They are few, so a pipe has room for them."""
    read, write = os.pipe()
    stack.callback(os.close, read)
    with os.fdopen(write, "wb") as end:
        end.write(data)
    return read


def _kernel() -> tuple[int, ...]:
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    return tuple(map(int, version.groups())) if version else ()
