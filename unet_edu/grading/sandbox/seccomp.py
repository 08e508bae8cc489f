"""Which system calls the sandbox refuses: a filter that the Linux kernel runs before each call.

Namespaces take the machine's files and its network away from a notebook. The filter takes away the calls by which
programs have broken out of namespaces, and those that hold memory which no limit counts. All others, a program may
make: what NumPy and PyTorch need differs from release to release.
"""

from __future__ import annotations

import errno
import platform
import struct

__all__ = ["DENIED", "MACHINES", "program"]

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The machines whose system calls are known here, with the kernel's names: AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64."""

DENIED = {  # the call's number on x86_64 and on aarch64; the second is None where there is no such call
    # memory that belongs to no process, so that no watchdog sees it
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "vmsplice": (278, 75),
    # other processes' memory and files
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # large parts of the kernel that have often been broken, and that a notebook does not need
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "perf_event_open": (298, 241),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "fanotify_init": (300, 262),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "iopl": (172, None),
    "ioperm": (173, None),
    # whose turn it is: the sandbox's first process must not wait behind a thousand others when it shall end
    "setpriority": (141, 140),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
    # new namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # the machine itself
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
}

# Calls of which some arguments are refused: their numbers, as above.
CLONE = (56, 220)
CLONE3 = (435, 435)  # its flags lie in memory, where a filter cannot look; the C library then takes clone
SOCKET = (41, 198)
IOCTL = (16, 29)

NEW_NAMESPACE = 0x7E020000  # CLONE_NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWNS
# Between processes; of the others, AF_VSOCK would reach the host of a virtual machine, and AF_INET hold megabytes in
# each socket.
AF_UNIX = 1
TERMINAL = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: type into a terminal
X32 = 0x40000000  # x86_64 has each call a second time, from this number on

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # of the kernel's BPF
# Where these lie in what the filter is given; of the arguments, the lower half.
NUMBER, ARCHITECTURE, FIRST, SECOND = 0, 4, 16, 24
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000


def program(machine: str = platform.machine()) -> bytes:
    """The filter, as the kernel and `bwrap --seccomp` read it.

    Parameters
    ----------
    machine : str
        One of `MACHINES`.

    Raises
    ------
    ValueError
        For another machine: its system calls have other numbers.
    """
    if machine not in MACHINES:
        raise ValueError(f"machine: expected one of {', '.join(MACHINES)}, got {machine!r}")
    column = list(MACHINES).index(machine)
    steps = [_step(LOAD, ARCHITECTURE), _step(EQUAL, MACHINES[machine], yes=1), _step(RETURN, KILL)]
    steps += [_step(LOAD, NUMBER), _step(AT_LEAST, X32, no=1), _refuse(errno.ENOSYS)]
    for numbers in DENIED.values():
        number = numbers[column]
        if number is not None:
            steps += _when(EQUAL, number, errno.EPERM)
    steps += _when(EQUAL, CLONE3[column], errno.ENOSYS)
    for numbers, argument, checks in (
        (CLONE, FIRST, _when(ANY_BIT, NEW_NAMESPACE, errno.EPERM)),
        (IOCTL, SECOND, [step for request in TERMINAL for step in _when(EQUAL, request, errno.EPERM)]),
        (SOCKET, FIRST, [_step(EQUAL, AF_UNIX, yes=1), _refuse(errno.EAFNOSUPPORT)]),
    ):
        body = [_step(LOAD, argument), *checks, _step(RETURN, ALLOW)]
        steps += [_step(EQUAL, numbers[column], no=len(body)), *body]
    return b"".join([*steps, _step(RETURN, ALLOW)])


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; `yes` and `no` are how many to skip when a comparison holds, or does not."""
    return struct.pack("=HBBI", code, yes, no, value)


def _refuse(error: int) -> bytes:
    return _step(RETURN, REFUSE | error)


def _when(comparison: int, value: int, error: int) -> list[bytes]:
    return [_step(comparison, value, no=1), _refuse(error)]
