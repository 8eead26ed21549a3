# pathlib costs start-up time.
# ruff: noqa: PTH103, PTH112, PTH120, PTH123
"""The kernel calls that Python has no name for: namespaces, mounts, Landlock, seccomp.

Each raises ``OSError`` where the kernel says no. Loaded by the launcher only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import socket
import struct

CLONE = {
    "user": 0x10000000,
    "mount": 0x00020000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x08000000,
}
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_SECCOMP, _PR_SET_SUBREAPER = 1, 24, 22, 36
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR = 38, 47, 4
_CAPABILITIES = 64
_MS_RDONLY, _MS_REMOUNT = 1, 32
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18

# https://docs.kernel.org/userspace-api/landlock.html
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_FS_BITS = {1: 13, 2: 14, 3: 15, 4: 15}  # by ABI; 16 from the fifth on
_LANDLOCK_READ = 0b1101  # execute, read a file, read a folder
_LANDLOCK_FILE = 0b111 | 1 << 14 | 1 << 15  # what may be granted on a file
_LANDLOCK_NET_ABI, _LANDLOCK_SCOPE_ABI = 4, 6

# Numbers of socket(2) and the audit architecture, by machine.
_SECCOMP = {"x86_64": (41, 0xC000003E), "aarch64": (198, 0xC00000B7)}
_IO_URING_SETUP = 425
_X32 = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _prctl(option: int, *values: int, what: str) -> None:
    arguments = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    _check(_libc.prctl(option, *arguments), what)


def no_new_privileges() -> None:
    """Let no program that is started from here on gain rights by setuid bits."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, what="no_new_privs")


def die_with_parent(signal_number: int) -> None:
    """Have this process killed when its parent dies."""
    _prctl(_PR_SET_PDEATHSIG, signal_number, what="pdeathsig")


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies."""
    _prctl(_PR_SET_SUBREAPER, 1, what="subreaper")


def drop_capabilities() -> None:
    """Give up every capability, also for root and for what is executed later."""
    with contextlib.suppress(OSError):
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR, what="ambient capabilities")
    for capability in range(_CAPABILITIES):
        with contextlib.suppress(OSError):  # unknown to this kernel, or none to give up
            _prctl(_PR_CAPBSET_DROP, capability, what="capability")
    header = struct.pack("=Ii", 0x20080522, 0)
    _check(_libc.capset(header, bytes(24)), "capset")


def unshare(names: list[str]) -> None:
    """Leave the caller's namespaces; the new user namespace maps just this user."""
    uid, gid = os.getuid(), os.getgid()
    flags = 0
    for name in names:
        flags |= CLONE[name]
    _check(_libc.unshare(flags), "unshare")
    if "user" in names:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)


def raise_loopback() -> None:
    """Bring ``lo`` up in a network namespace of our own."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, 0x8914, struct.pack("16sh14x", b"lo", 0x41))


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode(),
        ctypes.c_ulong(flags),
        data.encode(),
    )
    _check(result, f"mount on {target}")


def make_mounts_private() -> None:
    """Let no mount of ours reach the rest of the machine."""
    _mount("none", "/", "", _MS_REC | _MS_PRIVATE)


def mount_proc() -> None:
    """Show only the processes of this namespace in ``/proc``."""
    _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)


def mount_empty(target: str, size: int | None) -> None:
    """Lay an empty folder over ``target``, or nothing at all over a file."""
    if os.path.isdir(target):
        limit = f",size={size}" if size else ""
        _mount("tmpfs", target, "tmpfs", _MS_NOSUID | _MS_NODEV, f"mode=1777{limit}")
    else:
        _mount("/dev/null", target, "", _MS_BIND)


def mount_again(descriptor: int, target: str, *, read_only: bool) -> None:
    """Show what ``descriptor`` (opened before something covered it) at ``target`` again."""
    source = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    _mount(source, target, "", _MS_BIND | _MS_REC)
    if read_only:
        # Flags that a mount already has are locked in a user namespace: they must be repeated.
        kept = os.statvfs(target).f_flag & (_MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
        _mount("none", target, "", _MS_REMOUNT | _MS_BIND | _MS_RDONLY | kept)


def landlock_abi() -> int:
    """Return which Landlock this kernel speaks; 0 for none."""
    return int(max(_libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1), 0))


def landlock(read: list[str], list_only: list[str], write: list[str], *, network: bool) -> None:
    """Allow this process and its children to read and write these paths and no others."""
    abi = landlock_abi()
    handled = (1 << _LANDLOCK_FS_BITS.get(abi, 16)) - 1
    net = 0b11 if abi >= _LANDLOCK_NET_ABI and not network else 0
    scope = 0b11 if abi >= _LANDLOCK_SCOPE_ABI else 0
    size = 8 if abi < _LANDLOCK_NET_ABI else 16 if abi < _LANDLOCK_SCOPE_ABI else 24
    attributes = struct.pack("=QQQ", handled, net, scope)[:size]
    ruleset = _check(
        _libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), 0), "landlock"
    )
    rules = ((read, _LANDLOCK_READ), (list_only, 0b1000), (write, handled))
    for paths, access in rules:
        for path in paths:
            _landlock_rule(ruleset, path, access & handled)
    _check(_libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0), "landlock")
    os.close(ruleset)


def _landlock_rule(ruleset: int, path: str, access: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return  # gone since it was listed, or not ours to see: no rule, no access
    try:
        if not os.path.isdir(path):
            access &= _LANDLOCK_FILE
        rule = struct.pack("=Qi", access, handle)
        _check(_libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0), f"landlock rule for {path}")
    finally:
        os.close(handle)


def refuse_sockets() -> None:
    """Refuse every new socket (but no socket pair) and io_uring, by a seccomp filter.

    Raises ``OSError`` on a machine whose call numbers are not known.
    """
    if platform.machine() not in _SECCOMP:
        raise OSError(f"no seccomp filter for {platform.machine()}")
    number, architecture = _SECCOMP[platform.machine()]
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | 13  # EACCES
    program = [
        (load, 0, 0, 4),  # the architecture: 32-bit calls have other numbers, so none of them
        (equal, 0, 4, architecture),
        (load, 0, 0, 0),  # the call's number
        (at_least, 2, 0, _X32),
        (equal, 1, 0, number),
        (equal, 0, 1, _IO_URING_SETUP),
        (give, 0, 0, refuse),
        (give, 0, 0, allow),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code)
    header = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    pointer = ctypes.create_string_buffer(header)
    _prctl(_PR_SET_SECCOMP, 2, ctypes.addressof(pointer), what="seccomp")
