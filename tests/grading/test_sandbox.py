"""The sandbox: what a notebook can see, reach and use up, tried from inside.

The program inside is here a bare one, which runs the request as Python, so that each test starts in a few hundredths of
a second and is as hostile as can be. It replies with what the code left in `answer`.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import os
import platform
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from unet_edu.grading.sandbox import Limits, Sandbox, SandboxError, Stopped, require, seccomp, view
from unet_edu.grading.sandbox.bubblewrap import ENVIRONMENT
from unet_edu.lessons import EXERCISES

BARE = """
import os, sys, traceback

def main(request, reply):
    def read(count):
        data = b""
        while len(data) < count:
            part = os.read(request, count - len(data))
            if not part:
                os._exit(0)
            data += part
        return data

    def send(data):
        left = memoryview(len(data).to_bytes(8, "big") + data)
        while left:
            left = left[os.write(reply, left):]

    sys.stdout.reconfigure(line_buffering=True)
    names = {"os": os, "sys": sys, "request": request, "reply": reply, "send": send}
    while True:
        source = read(int.from_bytes(read(8), "big"))
        names["answer"] = b""
        try:
            exec(source, names)
        except Exception:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        answer = names["answer"]
        send(answer if isinstance(answer, bytes) else repr(answer).encode())
"""

MEGABYTE = 1 << 20
REPOSITORY = Path(__file__).parents[2]
needs_bubblewrap = pytest.mark.needs("bubblewrap")


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bare program in the place of the real one."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "runner.py").write_text(BARE)
    (inside / "checks.py").write_text("")
    (inside / "progress.py").write_text("")
    (inside / "quiz.py").write_text("")
    monkeypatch.setattr(view, "INSIDE", inside)
    return inside


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


def answer(box: Sandbox, code: str, seconds: float = 20) -> Any:
    """What the code inside leaves in `answer`, as plain Python data."""
    reply = box.ask(textwrap.dedent(code).encode(), seconds)
    assert reply, box.printed()
    return eval(reply, {"__builtins__": {}})  # the tests wrote the code inside


def stopped(code: str, seconds: float = 20, **limits: Any) -> Stopped:
    """How a sandbox is stopped that runs this."""
    with Sandbox(Limits(**limits)) as box, pytest.raises(Stopped) as caught:
        box.ask(textwrap.dedent(code).encode(), seconds)
    return caught.value


def alive(marker: str) -> list[int]:
    """The processes of this machine that have a word in their command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if marker in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def wait_until_alive(marker: str, count: int = 1) -> None:
    """Wait for processes that were just started: for a moment such a process has no command line."""
    wait_for(lambda: len(alive(marker)) >= count)


def wait_until_gone(marker: str) -> None:
    """Wait until no such process is left."""
    wait_for(lambda: not alive(marker))


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait as long as the busiest machine may need: what never comes fails."""
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.005)


# -------------------------------------------------------------------------------------------------- question and answer


@needs_bubblewrap
def test_it_answers(box: Sandbox) -> None:
    assert answer(box, "answer = 6 * 7") == 42
    box.ask(b"print('out'); import sys; print('err', file=sys.stderr)", 5)
    assert box.printed() == "out\nerr\n"
    assert box.printed() == ""


@needs_bubblewrap
def test_large_requests_and_replies_pass(box: Sandbox) -> None:
    reply = box.ask(b"#" * (5 * MEGABYTE) + b"\nprint('x' * 1000000)\nanswer = bytes(63 << 20)", 20)
    assert len(reply) == 63 * MEGABYTE
    assert len(box.printed()) == 1_000_001


@needs_bubblewrap
def test_what_is_no_text_is_still_printed(box: Sandbox) -> None:
    box.ask(b"import os; os.write(1, b'a\\xff\\x1b[2Jb')", 5)
    assert box.printed() == "a\ufffd\x1b[2Jb"


@needs_bubblewrap
def test_a_sandbox_that_was_stopped_stays_so() -> None:
    with Sandbox() as box:
        with pytest.raises(Stopped) as first:
            box.ask(b"print('last words'); sys.stdout.flush(); os._exit(3)", 5)
        with pytest.raises(Stopped) as second:
            box.ask(b"answer = 1", 5)
        assert box.printed() == "last words\n"
    assert (first.value.why, first.value.detail) == ("crashed", "ended the process, with exit status 3")
    assert second.value.detail == first.value.detail


@needs_bubblewrap
def test_it_leaves_nothing_open() -> None:
    def count() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    before = count(), threading.active_count()
    for code in (b"answer = 1", b"os._exit(1)"):
        with Sandbox() as box:
            try:
                box.ask(code, 5)
            except Stopped:
                pass
    assert (count(), threading.active_count()) == before


# ----------------------------------------------------------------------------------------------------- what can be seen


@needs_bubblewrap
def test_only_these_files_are_there(box: Sandbox) -> None:
    assert set(answer(box, "answer = os.listdir('/course')")) == {"init.py", "runner.py", "unet_edu"}
    assert set(answer(box, "answer = os.listdir('/course/unet_edu/checks')")) == {
        "__init__.py",
        "answer.py",
        "exercise.py",
        "network.py",
        "progress.py",
        "quiz.py",
    }
    assert "convolution.py" in answer(box, "answer = os.listdir('/course/unet_edu')")
    assert not {"checks.py", "grading", "__pycache__"} & set(answer(box, "answer = os.listdir('/course/unet_edu')"))
    assert set(answer(box, "answer = os.listdir('/etc')")) <= {
        "passwd",
        "group",
        "alternatives",
        "fonts",
        "ld.so.cache",
    }
    top = {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "proc", "dev", "tmp", "course"}
    top |= {Path(prefix).resolve().parts[1] for prefix in (sys.prefix, sys.base_prefix)} | {Path(sys.prefix).parts[1]}
    assert set(answer(box, "answer = os.listdir('/')")) <= top
    assert answer(box, "answer = [name for name in os.listdir('/proc') if name.isdigit()]") == ["1", "2"]


@needs_bubblewrap
def test_no_answer_is_readable_anywhere(bare: Path) -> None:
    """No file in the sandbox is one of the hidden ones; and in no program, compiled program or notebook of the
    environment stands what only they say."""
    hidden = [
        path
        for name in ("solutions", "exercises", "tests")
        for path in (REPOSITORY / name).rglob("*")
        if path.is_file()
    ]
    shown = {view.PACKAGE / "checks" / name for name in view.CHECKS} | {
        view.PACKAGE / "grading" / "sandbox" / "init.py"
    }
    folders = [view.PACKAGE / name for name in ("checks", "grading", "lessons")]
    hidden += [path for folder in folders for path in folder.rglob("*.py*") if path not in shown]
    assert len(hidden) > 60
    numbers = {(path.stat().st_dev, path.stat().st_ino) for path in hidden}
    hints = [m.hint for exercise in EXERCISES.values() for m in exercise.mistakes]
    texts = [text for text in (hint[:30].encode() for hint in hints[::60]) if text.isascii()]
    specifications = b"".join(path.read_bytes() for path in hidden if path.parent == view.PACKAGE / "lessons")
    texts = [*(text for text in texts if text in specifications), b"### BEGIN SOLUTION"]
    assert len(texts) > 2
    code = f"""
        numbers, texts = {numbers}, {texts}
        found, looked, read = [], 0, 0
        for folder, folders, files in os.walk("/"):
            folders[:] = [name for name in folders if folder != "/" or name not in ("proc", "dev")]
            reading = folder.startswith({(str(view.COURSE), sys.prefix, sys.base_prefix)})
            for name in files:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                looked += 1
                if (status.st_dev, status.st_ino) in numbers:
                    found.append(path)
                elif reading and name.endswith((".py", ".pyc", ".ipynb")) and status.st_size < 1 << 20:
                    if not os.access(path, os.R_OK):
                        continue
                    with open(path, "rb") as file:
                        data = file.read()
                    read += 1
                    if "/nbgrader/" not in path:  # whose own word it is
                        found += [(path, text) for text in texts if text in data]
        answer = found, looked, read
    """
    (bare / "planted.py").write_bytes(texts[0])  # so that we know that the search can find
    with Sandbox() as box:
        found, looked, read = answer(box, code, 120)
    assert looked > 10_000
    assert read > 5_000
    assert found == [("/course/planted.py", texts[0])]


@needs_bubblewrap
def test_only_two_folders_are_writable(box: Sandbox) -> None:
    mounts = answer(box, "answer = [line.split()[1:4] for line in open('/proc/mounts')]")
    assert len(mounts) > 20
    writable = {place for place, _, options in mounts if "ro" not in options.split(",")}
    devices = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty", "pts")}
    assert writable == {"/tmp", "/dev/shm"} | devices
    code = """
        answer = []
        system = ("/", "/tmp", "/dev", "/dev/shm", "/dev/pts", "/proc", "/usr", "/etc")
        for folder in (*system, "/course", "/course/unet_edu", "/course/unet_edu/checks"):
            try:
                os.close(os.open(folder + "/new", os.O_CREAT | os.O_WRONLY))
                answer.append(folder)
            except OSError:
                pass
    """
    assert answer(box, code) == ["/tmp", "/dev/shm"]


@needs_bubblewrap
def test_the_kernels_switches_cannot_be_written(box: Sandbox) -> None:
    code = """
        answer = []
        switches = ("sys/kernel/core_pattern", "sysrq-trigger", "irq/default_smp_affinity")
        for name in (*switches, "self/oom_score_adj", "self/uid_map"):
            try:
                os.close(os.open(f"/proc/{name}", os.O_WRONLY))
                answer.append(name)
            except OSError:
                pass
    """
    assert answer(box, code) == []


@needs_bubblewrap
def test_the_kernels_secrets_cannot_be_read(box: Sandbox) -> None:
    secret = [
        name
        for name in ("kmsg", "kcore", "slabinfo", "vmallocinfo", "timer_list", "kpagecount")
        if Path("/proc", name).exists()
    ]
    assert len(secret) > 2
    code = f"""
        answer = []
        for name in {secret}:
            try:
                with open("/proc/" + name, "rb") as file:
                    answer.append(file.read(1000))
            except OSError:
                pass
    """
    assert not any(answer(box, code))


@needs_bubblewrap
def test_nothing_of_the_graders_process_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE", "postgresql://xyzzy")
    with (tmp_path / "secret").open("w") as secret, Sandbox() as box:
        os.set_inheritable(secret.fileno(), True)
        code = """
            answer = []
            for process in (name for name in os.listdir("/proc") if name.isdigit()):
                for name in ("environ", "cmdline", "maps", "mountinfo"):
                    try:
                        answer.append(open(f"/proc/{process}/{name}").read())
                    except OSError:
                        pass
            answer = "\\n".join(answer)
        """
        assert "xyzzy" not in answer(box, code)
        assert set(answer(box, "answer = list(os.environ)")) <= {*ENVIRONMENT, "PATH", "PWD", "LC_CTYPE"}
        files = answer(
            box,
            "answer = {int(n): os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if "
            "os.path.lexists(f'/proc/self/fd/{n}')}",
        )
        assert len(files) == 5
        assert files[0] == "/dev/null"
        assert all(file.startswith("pipe:") for n, file in files.items() if n)
        assert answer(box, "answer = os.uname().nodename, os.getuid(), os.getgid()") == ("course", 1000, 1000)


@needs_bubblewrap
def test_the_first_process_cannot_be_touched(box: Sandbox) -> None:
    """It holds the pipe whose end is the end of all. Who could open that, could live on when the grader dies."""
    code = """
        answer = []
        files = [f"fd/{n}" for n in range(256) if os.path.lexists(f"/proc/1/fd/{n}")]
        attempts = [(name, how) for name in files for how in (os.O_RDONLY, os.O_WRONLY)]
        attempts += [(name, os.O_RDONLY) for name in ("mem", "maps", "environ", "root", "cwd")]
        for name, how in attempts:
            try:
                os.open(f"/proc/1/{name}", how)
                answer.append("it can")
            except OSError as error:
                answer.append(error.errno)
        for number in (1, 3, 9, 15, 19, 20):
            os.kill(1, number)
    """
    found = answer(box, code)
    assert found == [errno.EACCES] * len(found)
    assert len(found) >= 5
    assert answer(box, "answer = 'alive'") == "alive"


@needs_bubblewrap
def test_inherited_files_are_closed(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        with Sandbox() as box:
            assert len(answer(box, "answer = os.listdir('/proc/self/fd')")) == 6  # with the one that lists


@needs_bubblewrap
def test_an_installed_package_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not editable: the package then lies in a folder that is shown. /usr/share stands in for it."""
    package = Path("/usr/share/doc")
    monkeypatch.setattr(view, "_answers", lambda: package)
    with Sandbox() as box:
        assert answer(box, f"answer = os.listdir({str(package)!r})") == []
        assert answer(box, "answer = len(os.listdir('/usr/share')) > 3")
        with pytest.raises(AssertionError, match="Read-only"):
            answer(box, f"answer = open({str(package / 'x')!r}, 'w')")


@needs_bubblewrap
def test_what_other_students_handed_in_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """nbgrader's exchange is in /usr/local/share. /usr/share/doc, which has files on every machine, shows that such
    folders are covered."""
    assert Path("/usr/local/share") in view.OF_OTHERS
    monkeypatch.setattr(view, "OF_OTHERS", [*view.OF_OTHERS, Path("/usr/share/doc")])
    with Sandbox() as box:
        for folder in view.OF_OTHERS:
            inside = f"os.path.isdir({str(folder)!r}) and os.listdir({str(folder)!r})"
            assert answer(box, f"answer = {inside}") == ([] if folder.is_dir() else False)


@pytest.mark.parametrize("prefix", ["/", str(Path.home()), str(Path.home().parent), str(REPOSITORY)])
def test_an_environment_that_holds_more_than_python_is_refused(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    with pytest.raises(view.ViewError, match="folder of its own"):
        view.bindings()


# -------------------------------------------------------------------------------------------------- what can be reached


@needs_bubblewrap
def test_there_is_no_network(box: Sandbox, tmp_path: Path) -> None:
    name = f"unet-edu-{os.getpid()}"
    addresses: list[Any] = [str(tmp_path / "socket"), f"\0{name}"]
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix, socket.socket(socket.AF_UNIX) as abstract:
        tcp.bind(("127.0.0.1", 0))
        unix.bind(addresses[0])
        abstract.bind(addresses[1])
        for server in (tcp, unix, abstract):
            server.listen()
            server.settimeout(0)
            socket.create_connection(server.getsockname()).close() if server is tcp else None
        tcp.accept()[0].close()  # outside the sandbox it is reached
        code = f"""
            import socket
            answer = []
            targets = [(socket.AF_UNIX, name) for name in {addresses!r}]
            targets += [(socket.AF_INET, ("127.0.0.1", {tcp.getsockname()[1]})), (socket.AF_INET, ("1.1.1.1", 53))]
            targets += [(socket.AF_INET6, ("::1", 53))]
            for family, address in targets:
                try:
                    socket.socket(family).connect(address)
                    answer.append(address)
                except OSError:
                    pass
            try:
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("8.8.8.8", 53))
                answer.append("UDP")
            except OSError:
                pass
            try:
                answer += socket.getaddrinfo("example.com", 80)
            except OSError:
                pass
        """
        assert answer(box, code) == []
        for server in (tcp, unix, abstract):
            with pytest.raises(BlockingIOError):
                server.accept()


@needs_bubblewrap
def test_other_kinds_of_sockets_are_refused(box: Sandbox) -> None:
    code = """
        import socket
        answer = {}
        families = {"unix": 1, "inet": 2, "inet6": 10, "netlink": 16, "packet": 17, "alg": 38, "vsock": 40}
        for name, family in families.items():
            try:
                socket.socket(family, socket.SOCK_STREAM if family < 16 else socket.SOCK_RAW)
                answer[name] = 0
            except OSError as error:
                answer[name] = error.errno
    """
    refused = dict.fromkeys(("inet", "inet6", "netlink", "packet", "alg", "vsock"), errno.EAFNOSUPPORT)
    assert answer(box, code) == {"unix": 0} | refused


CALL = (
    "import ctypes; libc = ctypes.CDLL(None, use_errno=True); call = lambda *a: (libc.syscall(*map(ctypes.c_long, "
    "a)), ctypes.get_errno())\n"
)


@needs_bubblewrap
def test_each_system_call_of_the_list_is_refused(box: Sandbox) -> None:
    column = list(seccomp.MACHINES).index(platform.machine())
    numbers = {name: pair[column] for name, pair in seccomp.DENIED.items() if pair[column] is not None}
    assert len(numbers) > 50
    code = CALL + f"answer = {{name: call(number, -1, -1, -1, -1, -1, -1) for name, number in {numbers!r}.items()}}"
    assert answer(box, code) == dict.fromkeys(numbers, (-1, errno.EPERM))
    # That it is the filter that refuses: outside, the same calls complain of their arguments, or work.
    for name in ("memfd_create", "shmget", "msgget", "process_vm_readv", "userfaultfd", "personality"):
        ctypes.set_errno(0)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall(*map(ctypes.c_long, (numbers[name], -1, -1, -1, -1, -1, -1)))
        assert ctypes.get_errno() != errno.EPERM, name


@needs_bubblewrap
def test_no_new_namespaces(box: Sandbox) -> None:
    column = list(seccomp.MACHINES).index(platform.machine())
    kinds = (0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x00020000)
    code = CALL + f"answer = [call({seccomp.CLONE[column]}, kind | 17, 0, 0, 0, 0) for kind in {kinds}]"
    assert answer(box, code) == [(-1, errno.EPERM)] * len(kinds)
    assert answer(box, CALL + f"answer = call({seccomp.CLONE3[column]}, 0, 0)") == (-1, errno.ENOSYS)
    assert answer(box, "pid = os.fork()\nif not pid: os._exit(7)\nanswer = os.waitpid(pid, 0)[1]") == 7 << 8


@needs_bubblewrap
def test_nobody_can_type_into_a_terminal(box: Sandbox) -> None:
    code = """
        import fcntl, termios
        def attempt(f, *arguments):
            try:
                return f(*arguments)
            except OSError as error:
                return error.errno
        master, slave = os.openpty()
        answer = [attempt(os.open, "/dev/tty", os.O_RDWR)]
        requests = (termios.TIOCSTI, 0x541C, termios.TIOCSTI + (1 << 32) - (1 << 32))
        answer += [attempt(fcntl.ioctl, slave, request, b"x") for request in requests]
        answer += [attempt(os.tcgetpgrp, 0), os.getsid(0) == os.getsid(1)]
    """
    assert answer(box, code) == [errno.ENXIO, errno.EPERM, errno.EPERM, errno.EPERM, errno.ENOTTY, True]


@needs_bubblewrap
@pytest.mark.skipif(platform.machine() != "x86_64", reason="only there are system calls of a second kind")
def test_calls_of_32_bit_programs_kill() -> None:
    code = """
        import ctypes, mmap
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")  # mov eax, 20 (getpid); int 0x80; ret
        answer = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    """
    assert stopped(code).detail == "was ended by the signal SIGSYS"


def decide(program: bytes, architecture: int, number: int, first: int = 0, second: int = 0) -> int:
    """What the kernel makes of a call: 0 when it allows it, the error when it refuses, -1 when it kills."""
    data = struct.pack(
        "=iIQQQQQQQ", number if number < 1 << 31 else number - (1 << 32), architecture, 0, first, second, 0, 0, 0, 0
    )
    steps = list(struct.iter_unpack("=HBBI", program))
    value = place = 0
    while True:
        code, yes, no, operand = steps[place]
        place += 1
        if code == seccomp.LOAD:
            (value,) = struct.unpack_from("=I", data, operand)
        elif code == seccomp.RETURN:
            return {seccomp.ALLOW: 0, seccomp.KILL: -1}.get(operand, operand & 0xFFFF)
        else:
            holds = {
                seccomp.EQUAL: value == operand,
                seccomp.AT_LEAST: value >= operand,
                seccomp.ANY_BIT: value & operand,
            }[code]
            place += yes if holds else no


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_filter_decides_so_on_each_machine(machine: str) -> None:
    """Played through, because no test runs on all of them."""
    program, here = seccomp.program(machine), seccomp.MACHINES[machine]
    column = list(seccomp.MACHINES).index(machine)
    clone, clone3, sock, ioctl = (
        numbers[column] for numbers in (seccomp.CLONE, seccomp.CLONE3, seccomp.SOCKET, seccomp.IOCTL)
    )
    denied = {numbers[column] for numbers in seccomp.DENIED.values() if numbers[column] is not None}
    assert len(denied) > 55
    for number in set(range(600)) - {clone3, sock}:
        assert decide(program, here, number) == (errno.EPERM if number in denied else 0), number
    assert decide(program, here, clone, 17) == 0
    assert {decide(program, here, clone, 17 | 1 << bit) for bit in (17, 25, 26, 27, 28, 29, 30)} == {errno.EPERM}
    assert decide(program, here, clone3) == errno.ENOSYS
    assert [decide(program, here, sock, family) for family in range(46)] == [97, 0] + [97] * 44
    assert [decide(program, here, ioctl, 0, request) for request in (0x5401, 0x5412, 0x541C, 1 << 32 | 0x5412)] == [
        0,
        1,
        1,
        1,
    ]
    assert decide(program, here, 0x40000000) == errno.ENOSYS
    assert decide(program, 0x40000003, 20) == -1


def test_a_machine_whose_calls_are_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="riscv64"):
        seccomp.program("riscv64")


# -------------------------------------------------------------------------------------------------- what can be used up


@needs_bubblewrap
def test_time() -> None:
    found = stopped("while True: pass", seconds=0.5)
    assert (found.why, found.detail) == ("timed out", "ran longer than 0.5 seconds")


@needs_bubblewrap
def test_processor_time_of_many_processes() -> None:
    code = """
        for _ in range(4):
            if not os.fork():
                while True: pass
        import time; time.sleep(60)
    """
    found = stopped(code, cpu=1)
    assert (found.why, found.detail) == ("timed out", "used more than 1 seconds of processor time")


@needs_bubblewrap
def test_memory_of_one_process() -> None:
    """What asks for too much at once gets a MemoryError, as on a machine that has no more; what takes it bit by bit is
    stopped."""
    with Sandbox(Limits(memory=256 * MEGABYTE)) as box:
        code = """
            try:
                x = bytearray(1 << 30)
                answer = "there was room"
            except MemoryError:
                answer = "MemoryError"
        """
        assert answer(box, code) == "MemoryError"
    for _ in range(2):  # always in the same way
        found = stopped("kept = []\nwhile True: kept.append(os.urandom(1 << 16))", memory=205 * MEGABYTE)
        assert (found.why, found.detail) == ("over memory", "used more than 0.2 GB of memory")


MANY = """
    import ctypes, time
    ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE: nobody of the same user may look at this process; the watchdog may
    for _ in range(8):
        if not os.fork():
            x = bytearray({each})
            time.sleep(60)
    time.sleep(60)
"""
SHARED = """
    import mmap
    x = mmap.mmap(-1, {each})  # shared, so it is not the process's own data
    for n in range(0, {each}, 4096):
        x[n] = 1
    import time; time.sleep(60)
"""


@needs_bubblewrap
@pytest.mark.parametrize(("code", "each"), [(MANY, 100 * MEGABYTE), (SHARED, 600 * MEGABYTE)])
def test_memory_of_all_processes(code: str, each: int) -> None:
    found = stopped(code.format(each=each), memory=512 * MEGABYTE)
    assert (found.why, found.detail) == ("over memory", "used more than 0.5 GB of memory")


@needs_bubblewrap
def test_shared_memory_counts_once() -> None:
    """Eight processes that look at the same 200 MB use 200 MB, as a DataLoader's workers do."""
    with Sandbox(Limits(memory=512 * MEGABYTE)) as box:
        code = f"""
            import time
            x = bytearray({200 * MEGABYTE})
            children = []
            for _ in range(8):
                children.append(os.fork())
                if not children[-1]:
                    time.sleep(0.5)
                    os._exit(0)
            answer = [os.waitpid(child, 0)[1] for child in children]
        """
        assert answer(box, code) == [0] * 8


@needs_bubblewrap
@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    try: os.fork()\n    except OSError: pass",
        "import threading, time\nfor _ in range(1000):\n    threading.Thread(target=time.sleep, args=(60,)).start()",
    ],
    ids=["processes", "threads"],
)
def test_a_fork_bomb(code: str) -> None:
    """For root the watchdog kills; for others the kernel refuses, and time ends it."""
    most = 0
    done = threading.Event()

    def count() -> None:
        nonlocal most
        while not done.wait(0.02):
            most = max(most, len(psutil.pids()))

    before, counter = len(psutil.pids()), threading.Thread(target=count)
    counter.start()
    try:
        with Sandbox(Limits(processes=32)) as box:  # raises if anything is left at its end
            try:
                box.ask(code.encode(), 3)
            except Stopped as found:
                assert (found.why, found.detail) in [
                    ("crashed", "started more than 32 processes and threads"),
                    ("timed out", "ran longer than 3 seconds"),
                ]
            else:
                assert "can't start new thread" in box.printed()
    finally:
        done.set()
        counter.join()
    # Measured on two cores: 380, and fewer while other tests keep both busy. The
    # machine must have numbers left for new processes of others, so that whoever sits at it can still work.
    assert most - before < int(Path("/proc/sys/kernel/pid_max").read_text()) // 4


@needs_bubblewrap
def test_open_files(box: Sandbox) -> None:
    code = """
        opened = []
        try:
            while True:
                opened.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            answer = len(opened) + 6, error.errno
        for file in opened:
            os.close(file)
    """
    count, error = answer(box, code)
    assert error == errno.EMFILE
    assert count <= 258


@needs_bubblewrap
def test_many_sockets() -> None:
    """In each there is room for 400 kB, which belongs to no process."""
    code = """
        import socket, time
        for _ in range(5):
            if not os.fork():
                sockets = [socket.socketpair() for _ in range(40)]
                time.sleep(60)
        time.sleep(60)
    """
    assert stopped(code).detail == "opened more than 256 sockets"


@needs_bubblewrap
@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_disk(folder: str) -> None:
    with Sandbox(Limits(disk=8 * MEGABYTE)) as box:
        code = f"""
            written = 0
            try:
                for n in range(100):
                    with open(f"{folder}/{{n}}", "wb", buffering=0) as file:
                        written += file.write(bytes(1 << 20))
            except OSError as error:
                answer = written, error.errno
        """
        assert answer(box, code) == (4 * MEGABYTE, errno.ENOSPC)


@needs_bubblewrap
def test_one_large_file() -> None:
    """Sparse, so that it takes no room."""
    with Sandbox(Limits(disk=8 * MEGABYTE)) as box:
        code = """
            try:
                os.ftruncate(os.open("/tmp/x", os.O_CREAT | os.O_WRONLY), 9 << 20)
            except OSError as error:
                answer = error.errno
        """
        assert answer(box, code) == errno.EFBIG


@needs_bubblewrap
@pytest.mark.parametrize(
    "make", ["open(f'/tmp/{n}', 'w').close()", "os.symlink('x', f'/dev/shm/{n}')", "os.mkdir(f'/tmp/{n}')"]
)
def test_many_small_files(make: str) -> None:
    found = stopped(f"for n in range(10**7): {make}", entries=500)
    assert (found.why, found.detail) == ("crashed", "made more than 500 files")


@pytest.fixture
def held() -> Iterator[Callable[[], int]]:
    """The most bytes that Python held since the test began."""
    tracemalloc.start()
    begin = tracemalloc.get_traced_memory()[0]
    yield lambda: tracemalloc.get_traced_memory()[1] - begin
    tracemalloc.stop()


@needs_bubblewrap
def test_a_flood_of_output_stops_it_and_not_us(held: Callable[[], int]) -> None:
    found = stopped("while True: os.write(1, b'x' * 65536)", output=MEGABYTE)
    assert (found.why, found.detail) == ("crashed", "printed more than 1 MB")
    with Sandbox(Limits(output=MEGABYTE)) as box:
        box.ask(b"flood = lambda: [time.sleep(0.2), *(os.write(2, bytes(65536)) for _ in range(10**9))]", 5)
        box.ask(b"import threading, time; threading.Thread(target=flood).start()", 5)
        time.sleep(0.4)  # it floods while nobody asks
        with pytest.raises(Stopped, match="printed more than 1 MB"):
            box.ask(b"import time; time.sleep(60)", 20)
        assert len(box.printed()) < 3 * MEGABYTE
    assert 0 < held() < 8 * MEGABYTE


@needs_bubblewrap
@pytest.mark.parametrize("size", [2**20 + 1, 2**63, 2**64 - 1])
def test_a_reply_that_is_too_large_is_not_read(size: int, held: Callable[[], int]) -> None:
    found = stopped(
        f"os.write(reply, ({size}).to_bytes(8, 'big'))\nwhile True: os.write(reply, bytes(65536))", reply=MEGABYTE
    )
    assert (found.why, found.detail) == ("crashed", "sent an answer of more than 1 MB")
    assert 0 < held() < 8 * MEGABYTE


@needs_bubblewrap
def test_replies_that_nobody_asked_for() -> None:
    with Sandbox() as box:
        box.ask(b"two = bytes(7) + b'\\x01x'; os.write(reply, two + two)", 5)
        with pytest.raises(Stopped, match="sent a reply before it was asked"):
            box.ask(b"answer = 1", 5)


@needs_bubblewrap
def test_a_program_that_plays_with_its_pipes() -> None:
    """It can open each of its ends a second time, in the other direction."""
    thief = b"""
import threading, time
mine = os.open(f"/proc/self/fd/{reply}", os.O_RDONLY)
def steal():
    time.sleep(0.2)
    while True: os.read(mine, 65536)
for _ in range(2): threading.Thread(target=steal).start()
"""
    with Sandbox() as box:
        box.ask(thief, 5)
        time.sleep(0.3)
        with pytest.raises(Stopped):
            for _ in range(1000):
                box.ask(b"answer = bytes(1 << 20)", 0.3)
    with Sandbox() as box:
        box.ask(b"mine = os.open(f'/proc/self/fd/{request}', os.O_WRONLY | os.O_NONBLOCK)", 5)
        box.ask(b"import threading, time", 5)
        filler = b"""
def fill():
    while True:
        try: os.write(mine, bytes(4096))
        except BlockingIOError: pass
threading.Thread(target=fill).start()
send(b"")
time.sleep(60)
"""
        box.ask(filler, 5)
        with pytest.raises(Stopped, match="ran longer than 1 seconds"):
            box.ask(bytes(10 * MEGABYTE), 1)


@needs_bubblewrap
def test_an_environment_in_the_temporary_folder_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "environment").symlink_to(sys.prefix)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    with Sandbox() as box:
        assert answer(box, f"answer = os.path.isdir({str(tmp_path / 'environment' / 'lib')!r})")
        assert answer(box, f"answer = os.listdir({str(tmp_path)!r})") == ["environment"]


@needs_bubblewrap
def test_half_a_reply() -> None:
    assert (
        stopped("os.write(reply, bytes(7) + b'\\x05abc'); import time; time.sleep(60)", seconds=0.5).why == "timed out"
    )
    assert (
        stopped("os.write(reply, bytes(7) + b'\\x05abc'); os._exit(0)").detail
        == "ended the process, with exit status 0"
    )


@needs_bubblewrap
def test_a_request_that_nobody_reads() -> None:
    with Sandbox() as box:
        box.ask(b"import time; send(b''); time.sleep(60)", 5)
        with pytest.raises(Stopped, match=r"ran longer than 0\.5 seconds"):
            box.ask(bytes(10 * MEGABYTE), 0.5)


# --------------------------------------------------------------------------------------------------------- how it end s


@needs_bubblewrap
@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("os._exit(0)", "ended the process, with exit status 0"),
        ("os.kill(os.getpid(), 9)", "was ended by the signal SIGKILL"),
        ("os.kill(os.getpid(), 11)", "was ended by the signal SIGSEGV"),
        ("os.abort()", "was ended by the signal SIGABRT"),
        ("os.close(reply); __import__('time').sleep(60)", "closed the pipe to the grader"),
        ("os.closerange(0, 1 << 20); __import__('time').sleep(60)", "closed the pipe to the grader"),
        ("os.close(request); answer = 1", "ended the process, with exit status 1"),
        ("os.fork() or __import__('time').sleep(60); os._exit(4)", "ended the process, with exit status 4"),
    ],
)
def test_how_it_ended_is_said(code: str, detail: str) -> None:
    with Sandbox() as box, pytest.raises(Stopped) as found:
        box.ask(code.encode(), 20)
        box.ask(b"answer = 2", 20)
    assert (found.value.why, found.value.detail) == ("crashed", detail)


SURVIVORS = {
    "a process": "subprocess.Popen(sleep)",
    "a session of its own": "subprocess.Popen(sleep, start_new_session=True)",
    "a daemon": "if not os.fork():\n    os.setsid()\n    if not os.fork():\n        os.execv(sleep[0], sleep)\n    "
    "os._exit(0)",
    "one that ignores signals": "[signal.signal(n, signal.SIG_IGN) for n in range(1, 32) if n not in (9, 19, 17)]; "
    "subprocess.Popen(sleep)",
    "and it stops": "subprocess.Popen(sleep); time.sleep(0.1); os.kill(os.getpid(), signal.SIGSTOP)",
    "and it kills all others": "subprocess.Popen(sleep, start_new_session=True); time.sleep(0.1); os.kill(-1, 9)",
    "and it stops all others": "subprocess.Popen(sleep); time.sleep(0.1); os.kill(-1, signal.SIGSTOP); os.kill(1, 9); "
    "os.kill(1, 19)",
    "and it loops": "subprocess.Popen(sleep)\nwhile True: pass",
    "and it ends": "subprocess.Popen(sleep, start_new_session=True); os._exit(0)",
}


def _sleep(marker: str) -> str:
    return f"import os, signal, subprocess, time; sleep = ['/bin/sleep', '{marker}']\n"


@needs_bubblewrap
@pytest.mark.parametrize("code", SURVIVORS.values(), ids=SURVIVORS)
def test_no_process_survives(code: str) -> None:
    marker = f"3600.{os.getpid()}"
    with Sandbox() as box:
        try:
            box.ask((_sleep(marker) + code + "\ntime.sleep(0.2)").encode(), 0.8)
        except Stopped:
            pass
        else:
            assert alive(marker) or "kill(-1, 9)" in code
    assert alive(marker) == []


GRADER = """
import sys, time
from pathlib import Path
from unet_edu.grading.sandbox import view
from unet_edu.grading.sandbox import Sandbox
view.INSIDE = Path(sys.argv[1])
with Sandbox() as box:
    box.ask(sys.argv[2].encode(), 20)
    print("ready", flush=True)
    {then}
"""


@needs_bubblewrap
@pytest.mark.parametrize("then", ["time.sleep(60)", "box.ask(b'while True: pass', 60)"])
def test_no_process_survives_the_grader(bare: Path, then: str) -> None:
    marker = f"3601.{os.getpid()}"
    code = _sleep(marker) + "for _ in range(3): subprocess.Popen(sleep, start_new_session=True)"
    grader = subprocess.Popen(
        [sys.executable, "-c", GRADER.format(then=then), bare, code],
        stdout=subprocess.PIPE,
        start_new_session=True,
        cwd=REPOSITORY,
    )
    try:
        assert grader.stdout is not None
        assert grader.stdout.readline() == b"ready\n"
        wait_until_alive(marker, 3)
        assert alive(str(bare / "runner.py"))
    finally:
        grader.kill()
        grader.communicate()
    wait_until_gone(marker)
    wait_until_gone(str(bare / "runner.py"))  # bubblewrap has been told this name


@needs_bubblewrap
def test_no_process_survives_a_grader_that_is_killed_while_it_starts_one(bare: Path) -> None:
    code = GRADER.replace("with Sandbox", 'print("starts", flush=True)\nwith Sandbox').format(then="")
    for milliseconds in range(0, 100, 10):
        grader = subprocess.Popen([sys.executable, "-c", code, bare, ""], stdout=subprocess.PIPE, cwd=REPOSITORY)
        assert grader.stdout is not None
        assert grader.stdout.readline() == b"starts\n"
        time.sleep(milliseconds / 1000)
        grader.kill()
        grader.communicate()
        wait_until_gone(str(bare / "runner.py"))


def test_unsafe_ends_with_the_grader_too(bare: Path) -> None:
    marker = f"3605.{os.getpid()}"
    code = GRADER.replace("Sandbox()", "Sandbox(unsafe=True)").format(then="box.ask(b'while True: pass', 60)")
    inside = _sleep(marker) + "subprocess.Popen(sleep)"
    grader = subprocess.Popen([sys.executable, "-c", code, bare, inside], stdout=subprocess.PIPE, cwd=REPOSITORY)
    assert grader.stdout is not None
    assert grader.stdout.readline() == b"ready\n"
    wait_until_alive(marker)
    grader.kill()
    grader.communicate()
    wait_until_gone(marker)


@needs_bubblewrap
def test_ctrl_c_ends_the_sandbox_too() -> None:
    marker = f"3602.{os.getpid()}"
    with pytest.raises(KeyboardInterrupt), Sandbox() as box:
        box.ask((_sleep(marker) + "subprocess.Popen(sleep)").encode(), 5)
        threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
        box.ask(b"time.sleep(60)", 20)
    assert alive(marker) == []


# -------------------------------------------------------------------------------------------------- where there is none


@needs_bubblewrap
def test_here_it_works() -> None:
    require()


def test_a_machine_without_bubblewrap_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SandboxError, match=r"apt install bubblewrap.*--unsafe"):
        require()
    with pytest.raises(SandboxError, match="bwrap"), Sandbox():
        pass


def test_a_bubblewrap_that_may_not_work_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(SandboxError, match=r"setting up uid map: Permission denied.*user namespaces"):
        require()
    with pytest.raises(SandboxError, match="did not start.*setting up uid map"), Sandbox():
        pass


def test_other_systems_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(SandboxError, match=r"needs Linux.*Darwin"):
        require()


@needs_bubblewrap
def test_a_program_that_does_not_get_ready(bare: Path) -> None:
    (bare / "runner.py").write_text("import no_such_module")
    with pytest.raises(SandboxError, match="did not start.*No module named 'no_such_module'"), Sandbox():
        pass
    (bare / "runner.py").write_text("import time; time.sleep(60)")
    with pytest.raises(SandboxError, match=r"ran longer than 0\.5 seconds"), Sandbox(Limits(start=0.5)):
        pass


@needs_bubblewrap
def test_a_sandbox_that_cannot_be_watched_is_killed() -> None:
    marker = f"3603.{os.getpid()}"
    with Sandbox() as box:
        box.ask((_sleep(marker) + "subprocess.Popen(sleep)").encode(), 5)
        assert box._watchdog is not None
        box._watchdog._disks.append(-1)
        with pytest.raises(SandboxError, match="could not be watched"):
            box.ask(b"time.sleep(60)", 20)
        box._watchdog._disks.pop()
    assert alive(marker) == []


# ---------------------------------------------------------------------------------------------------- without a sandbox


def test_unsafe_sees_the_same_course() -> None:
    with Sandbox(unsafe=True) as box:
        folder, files = answer(box, "answer = sys.path[0], os.listdir(sys.path[0])")
        assert set(files) == {"init.py", "runner.py", "unet_edu"}
        assert {path.name for path in Path(folder, "unet_edu", "checks").iterdir()} == {
            "__init__.py",
            "answer.py",
            "exercise.py",
            "network.py",
            "progress.py",
            "quiz.py",
        }
        assert answer(box, "answer = os.getcwd() == os.environ['HOME']")
    assert not Path(folder).parent.exists()


def test_windows_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(SandboxError, match="WSL 2"):
        patch.setattr(os, "name", "nt")
        Sandbox(unsafe=True).__enter__()


@needs_bubblewrap
def test_after_its_end_it_reads_nobody_elses_files() -> None:
    with Sandbox() as box:
        pass
    with pytest.raises(OSError, match="Bad file descriptor"):
        box.printed()
    with pytest.raises(OSError, match="Bad file descriptor"):
        box.ask(b"answer = 1", 1)


def test_unsafe_is_stopped_by_the_same_limits() -> None:
    for code, seconds, detail in (
        ("while True: pass", 0.3, "ran longer than 0.3 seconds"),
        ("while True: os.write(1, b'x' * 65536)", 20, "printed more than 1 MB"),
        ("send(bytes(2 << 20))", 20, "sent an answer of more than 1 MB"),
        ("os.kill(os.getpid(), 9)", 20, "was ended by the signal SIGKILL"),
        *([("while True: pass", 20, "used more than 1 seconds of processor time")] if sys.platform == "linux" else []),
    ):
        with (
            Sandbox(Limits(cpu=1, output=MEGABYTE, reply=MEGABYTE), unsafe=True) as box,
            pytest.raises(Stopped) as found,
        ):
            box.ask(code.encode(), seconds)
        assert found.value.detail == detail


def test_unsafe_kills_its_group() -> None:
    marker = f"3604.{os.getpid()}"
    with Sandbox(unsafe=True) as box:
        box.ask((_sleep(marker) + "subprocess.Popen(sleep)").encode(), 5)
        wait_until_alive(marker)
    wait_until_gone(marker)


def test_what_stopped_it_can_be_sent_to_another_process() -> None:
    import pickle

    again = pickle.loads(pickle.dumps(Stopped("timed out", "ran longer than 5 seconds")))
    assert (again.why, again.detail) == ("timed out", "ran longer than 5 seconds")
