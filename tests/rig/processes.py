"""Processes of one run, in one temporary folder: started as a user who may run PostgreSQL, logged, ended with the run."""
import os, pathlib, pwd, random, shutil, signal, socket, subprocess, tempfile, time


class Failed(Exception):
    """What the run cannot go on after."""


def until(what, ready, within_s=60, every_s=0.1):
    """Polls `ready` until it returns something true, and returns that."""
    end = time.monotonic() + within_s
    while True:
        found = ready()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"not within {within_s} s: {what}")
        time.sleep(every_s)


def free_ports(count):
    """Ports that nothing uses on any address of this machine, and that the system gives to no outgoing connection: a server
    that was killed finds its own free again."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = []
    while len(ports) < count:
        port = random.randrange(max(first // 2, 1024), first)
        with socket.socket() as one:
            try:
                one.bind(("", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


def postgres_bin():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise Failed("PostgreSQL is not installed: see packaging/bootstrap.sh")
    return found[-1].parent


class Folder:
    """The run's folder. A watcher ends its processes and removes it when this program has ended, in whatever way."""

    def __init__(self, name):
        # PostgreSQL and PgBouncer refuse to run as root, so root runs them as the user of Debian's package.
        self.user = "postgres" if os.geteuid() == 0 else None
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"waw-{name}-"))
        self.own(self.path, 0o755)
        for name in ("pids", "logs"):
            self.make(name)
        watch = (
            f"while kill -0 {os.getpid()} 2>/dev/null; do sleep 0.5; done; cd '{self.path}' || exit; "
            "for file in pids/*; do kill -KILL $(cat \"$file\"); done; "
            "for file in */data/postmaster.pid; do kill -QUIT $(head -n 1 \"$file\"); done; "
            f"sleep 1; cd /; rm -rf '{self.path}'"
        )
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.watcher = subprocess.Popen(["sh", "-c", watch], cwd="/", start_new_session=True, **quiet)

    def own(self, path, mode):
        path.chmod(mode)
        if self.user:
            shutil.chown(path, self.user, pwd.getpwnam(self.user).pw_gid)
        return path

    def make(self, name):
        path = self.path / name
        path.mkdir(parents=True)
        return self.own(path, 0o700)

    def write(self, name, text):
        path = self.path / name
        path.write_text(text)
        return self.own(path, 0o600)

    def as_user(self):
        return {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []} if self.user else {}

    def run(self, *command, env=None, **more):
        """Runs to the end as the user; returns what it printed."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.path), **(env or {})}
        done = subprocess.run(
            [str(word) for word in command], env=env, cwd=self.path, capture_output=True, text=True, timeout=120,
            **self.as_user(), **more,
        )
        if done.returncode != 0:
            raise Failed(f"{command[0]} failed: {done.stderr.strip()}")
        return done.stdout


class Process:
    def __init__(self, folder, name, command, env=None, as_user=True):
        self.folder, self.name, self.child = folder, name, None
        self.command = [str(word) for word in command]
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder.path), "LANG": "C.UTF-8", **(env or {})}
        self.user = folder.as_user() if as_user else {}
        self.log = folder.path / "logs" / f"{name}.log"

    def start(self):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                self.command, env=self.env, cwd=self.folder.path, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **self.user,
            )
        (self.folder.path / "pids" / self.name).write_text(str(self.child.pid))
        return self

    def runs(self):
        return self.child is not None and self.child.poll() is None

    def send(self, number):
        if self.runs():
            self.child.send_signal(number)

    def command_now(self):
        """What it runs by now, where it began as a wrapper of that."""
        try:
            words = pathlib.Path(f"/proc/{self.child.pid}/cmdline").read_bytes().decode().split("\0")
        except OSError:
            words = []
        return words[:-1]

    def stop(self, number=signal.SIGTERM, within_s=30):
        """Sends the signal and waits for the end; what has not ended by then is killed. Returns the exit code."""
        if self.child is None:
            return None
        self.send(number)
        try:
            self.child.wait(within_s)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        (self.folder.path / "pids" / self.name).unlink(missing_ok=True)
        return self.child.returncode

    def said(self, lines=15):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


def with_children(pid):
    """The process and all that descend from it."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # The name, in parentheses, may itself hold blanks and parentheses.
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found
