"""A daemon with a profile of its own, and a listener that hears of each blink as it is counted (docs/ipc.md)."""
import collections, datetime, json, os, pathlib, shutil, signal, socket, struct, subprocess, threading, time

from client import PASSWORD
from processes import Failed, Process, until
from schedule import EPOCH

# `at` is when the blink ended by the daemon's clock, `ended` when that was by our monotonic one.
Heard = collections.namedtuple("Heard", "at ended")
# A blink is decided within 3 s of its end.
LATEST_S = 4


def models():
    """The models of whoever runs this; profiles have none of their own."""
    data = os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share"
    return os.environ.get("BLINKD_MODELS_DIR") or str(pathlib.Path(data, "blinkd/models"))


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Listener(threading.Thread):
    """Records the events of one process of the daemon, from when its socket answers until the daemon is gone."""

    def __init__(self, path, clock):
        super().__init__(daemon=True)
        self.path, self.clock = path, clock
        self.blinks, self.status, self.status_at, self.tracking_at = [], {}, 0.0, None
        # Whether its clock was in a minute that it has sealed, in which it counts nothing.
        self.was_behind = False
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            with socket.socket(socket.AF_UNIX) as stream:
                try:
                    stream.connect(str(self.path))
                except OSError:
                    time.sleep(0.02)
                    continue
                stream.settimeout(0.5)
                self.send(stream, {"hello": {"protocol": 1, "oldest": 1, "program": "soak", "version": "0"}})
                self.send(stream, {"call": {"id": 1, "request": {"type": "subscribe", "live": False}}})
                self.listen(stream)
                return

    def send(self, stream, message):
        body = json.dumps(message).encode()
        stream.sendall(struct.pack(">I", len(body)) + body)

    def listen(self, stream):
        """What the daemon wrote before it was killed is still read."""
        buffer = b""
        while True:
            try:
                data = stream.recv(65536)
            except TimeoutError:
                if self.over.is_set():
                    return
                continue
            except OSError:
                return
            if not data:
                return
            buffer += data
            while len(buffer) >= 4 and len(buffer) >= 4 + (length := struct.unpack(">I", buffer[:4])[0]):
                self.frame(json.loads(buffer[4 : 4 + length]))
                buffer = buffer[4 + length :]

    def frame(self, message):
        event, now = message.get("event", {}), time.monotonic()
        if event.get("type") == "status":
            self.status, self.status_at = event, now
            self.was_behind |= (event["last_error"] or {}).get("code") == "clock_behind"
            if event["state"] == "tracking" and self.tracking_at is None:
                self.tracking_at = now
        elif event.get("type") == "blink":
            at = seconds_of(event["at"])
            late_s = self.clock.now() - at
            self.blinks.append(Heard(at, now - (late_s if 0 <= late_s <= LATEST_S else 0)))


class Daemon:
    def __init__(self, folder, programs, name, seed, bpm, server_url, space, clock):
        self.name, self.seed, self.bpm, self.space, self.clock = name, seed, bpm, space, clock
        self.programs, self.server_url, self.email = programs, server_url, f"{name}@example.org"
        home = space.path
        self.env = {
            "HOME": str(home), "XDG_CONFIG_HOME": f"{home}/config", "XDG_DATA_HOME": f"{home}/data",
            "XDG_STATE_HOME": f"{home}/state", "XDG_RUNTIME_DIR": f"{home}/run", "TZ": "UTC",
            # The keyring of whoever runs this is left alone.
            "BLINKD_ACCOUNT__KEYRING": "off", "BLINKD_MODELS_DIR": models(),
        }
        self.folder, self.process, self.listener = folder, None, None
        self.announced = 0
        self.heard, self.expected, self.kills = collections.Counter(), collections.Counter(), []

    def open(self):
        self.space.open()
        for name in ("config", "data", "state", "run"):
            self.space.inside(self.space.path / name).mkdir(mode=0o700)
        source = f"synthetic:bpm={self.bpm},seed={self.seed},epoch={EPOCH}"
        run = [self.programs / "blinkd", "run", "--headless", "--source", source]
        command = [*self.space.enter(), *self.clock.environment(), *run]
        self.process = Process(self.folder, self.name, command, self.env, as_user=False)

    def start(self):
        self.listener = Listener(self.space.inside(self.space.path / "run/blinkd/blinkd.sock"), self.clock)
        self.started = time.monotonic()
        self.process.start()
        self.listener.start()

    def ctl(self, *words, stdin=""):
        env = {"PATH": os.environ["PATH"], **self.env}
        command = [*self.space.enter(), str(self.programs / "blinkctl"), *words]
        return subprocess.run(command, env=env, cwd="/", input=stdin, capture_output=True, text=True, timeout=180)

    def insist(self, *words, stdin=""):
        done = self.ctl(*words, stdin=stdin)
        if done.returncode != 0:
            raise Failed(f"{self.name}: blinkctl {words[0]}: {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def register(self):
        until(f"{self.name} answers", lambda: self.ctl("status", "--json").returncode == 0, 30)
        register = ["register", "--server", self.server_url, "--email", self.email, "--password-stdin", "--accept-consent"]
        self.id = json.loads(self.insist(*register, "--json", stdin=f"{PASSWORD}\n"))["user_id"]

    def status(self):
        """The newest that it said of itself."""
        return self.listener.status if time.monotonic() - self.listener.status_at < 10 else {}

    def error(self):
        """The code of what it says is wrong now; empty for nothing, None where it says nothing."""
        status = self.status()
        return (status["last_error"] or {"code": ""})["code"] if status else None

    def tracks(self):
        if not self.process.runs():
            raise Failed(f"{self.name} ended by itself: {self.process.said()}")
        return self.listener.tracking_at

    def kill(self):
        """Kills it, as a crash does. What it announced a second before is expected on the server."""
        if not self.process.runs():
            raise Failed(f"{self.name} ended by itself: {self.process.said()}")
        killed = time.monotonic()
        self.process.stop(signal.SIGKILL)
        self.kills.append(self.clock.now())
        self.note(killed - 1)

    def note(self, kept_until):
        """Takes what the listener heard; blinks that ended before `kept_until` are expected."""
        self.listener.over.set()
        self.listener.join(10)
        for blink in self.listener.blinks:
            self.heard[int(blink.at // 60)] += 1
            if blink.ended < kept_until:
                self.expected[int(blink.at // 60)] += 1
        self.announced += len(self.listener.blinks)

    def announced_by_now(self):
        noted = self.listener.over.is_set()
        return self.announced + (0 if noted else len(self.listener.blinks))

    def has_sealed(self, minute):
        start = datetime.datetime.fromtimestamp(60 * minute, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        days = self.space.inside(self.space.path / "data/blinkd/history").glob("*.ndjson")
        return any(f'"from_timestamp":"{start}"' in day.read_text() for day in days)

    def settle(self):
        """Lets it seal and send everything, and ends it."""
        until(f"{self.name} tracks or waits", lambda: self.tracks() and self.status(), 200)
        self.insist("pause")
        time.sleep(1)
        last = max([*self.heard, *(int(blink.at // 60) for blink in list(self.listener.blinks))])
        until(f"{self.name} seals its last minute", lambda: self.has_sealed(last), 300, 0.5)
        sync = until(f"{self.name} sends everything", self.sent, 120, 1)
        queue = json.loads(self.insist("status", "--json"))["queue"]
        code = self.process.stop()
        self.note(float("inf"))
        return sync, queue, code

    def keep_logs(self, folder):
        """Copies its own logs out of its space."""
        try:
            state = self.space.inside(self.space.path / "state/blinkd")
            for log in state.iterdir():
                shutil.copy(log, folder / f"{self.name}-{log.name}")
        except (OSError, AttributeError):
            pass

    def sent(self):
        done = self.ctl("sync", "--json")
        return done.stdout if done.returncode == 0 else None
