"""What the programs are told about their machine: how full the disk is, and what time it is.

A space is a mount namespace, held open by a process of its own and gone with it. In it a profile is on a small disk, which
can be filled, and shared memory is its own, in which libfaketime leaves things when its program is killed.
"""
import glob, os, pathlib, subprocess, time

from processes import Process, until

DISK_MB = 48
# The file of a clock is read once a second, and a blink is decided within 3 s.
NEAR_S = 5


def unshare():
    # Without root a namespace of users comes with it.
    return ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]


def may_mount():
    tried = [*unshare(), "sh", "-c", "mount -t tmpfs -o size=1m none /dev/shm"]
    return subprocess.run(tried, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def libfaketime():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    return found[0] if found else None


class Space:
    def __init__(self, folder, name, on_disk=True):
        self.path = folder.path / name
        self.path.mkdir(mode=0o700)
        mount = f"mount -t tmpfs -o size={DISK_MB}m,mode=700 none '{self.path}' && " if on_disk else ""
        script = f"{mount}mount -t tmpfs -o size=1m,mode=1777 none /dev/shm && exec sleep infinity"
        self.holder = Process(folder, f"{name}-space", [*unshare(), "sh", "-c", script], as_user=False)

    def open(self):
        self.holder.start()
        until("the space is there", lambda: self.holder.command_now()[:1] == ["sleep"] or self.gone())

    def gone(self):
        if not self.holder.runs():
            raise OSError(f"no file system can be mounted: {self.holder.said()}")

    def enter(self):
        """What runs a command in here."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", f"--target={self.holder.child.pid}", "--mount", *user]

    def inside(self, path):
        """The same path, seen from outside."""
        return pathlib.Path(f"/proc/{self.holder.child.pid}/root{path}")

    def fill(self):
        """Fills the disk to the last byte."""
        with open(self.inside(self.path / "filler"), "wb", buffering=0) as filler:
            for size in (1 << 20, 4096, 1):
                try:
                    while filler.write(bytes(size)):
                        pass
                except OSError:
                    pass

    def free(self):
        self.inside(self.path / "filler").unlink()


class Nowhere:
    """Where nothing can be mounted, a program runs in a plain folder."""

    def __init__(self, folder, name):
        self.path = folder.path / name
        self.path.mkdir(mode=0o700)

    def open(self):
        pass

    def enter(self):
        return []

    def inside(self, path):
        return path


class Clock:
    """The wall clock of one program, by libfaketime; the monotonic clock is left alone."""

    def __init__(self, folder, name):
        self.file = folder.path / f"{name}.clock"
        self.offset_s, self.spans = 0, []
        self.write(0)

    def write(self, offset_s):
        new = self.file.with_suffix(".new")
        new.write_text(f"{offset_s:+d}\n")
        new.rename(self.file)
        self.offset_s = offset_s

    def set(self, offset_s):
        """Sets the clock. Between `set` and `set(0)` minutes are not what the wall says."""
        if offset_s:
            self.spans.append([time.time(), None, offset_s])
        else:
            self.spans[-1][1] = time.time()
        self.write(offset_s)

    def now(self):
        return time.time() + self.offset_s

    def environment(self):
        """Set for the program alone, and not for what starts it."""
        return [
            "env", f"LD_PRELOAD={libfaketime()}", f"FAKETIME_TIMESTAMP_FILE={self.file}", "FAKETIME_CACHE_DURATION=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1",
        ]

    def disturbed(self, minute):
        """Whether the clock was in this minute, or near it, when it was set or while it was wrong."""
        for began, ended, offset_s in self.spans:
            ended = ended or time.time()
            for first, last in ((began, ended), (began + offset_s, ended + offset_s)):
                if first - NEAR_S < 60 * minute + 60 and 60 * minute < last + NEAR_S:
                    return True
        return False


class WallClock:
    """The machine's own, which nobody sets."""

    offset_s, spans = 0, []

    def now(self):
        return time.time()

    def environment(self):
        return []

    def disturbed(self, minute):
        return False
