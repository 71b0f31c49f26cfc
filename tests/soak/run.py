#!/usr/bin/env -S python3 -B
"""Two daemons, cloud-api with its desk and archive, and PostgreSQL, for half an hour in which things go wrong.

    tests/soak/run.py FOLDER

FOLDER holds blinkd, blinkctl, cloud-api and face-worker. They run on loopback, with profiles and a database that go with the
run. The daemons count a drawn face; made-up machines upload single minutes; people come to the attendance desk. Every ten to
forty seconds one thing happens: a daemon or the server is killed, the database crashes, the network is cut, a daemon's disk
is full, a clock is set. In the end all must be there once. Prints the figures; exit code 1 when a promise does not hold.

SOAK_MINUTES (30) and SOAK_SEED (else drawn, and printed) make a run like another; SOAK_ONLY=KIND,KIND has only such things
happen; SOAK_LOGS=FOLDER keeps the logs.
"""
import collections, json, os, pathlib, random, shutil, signal, subprocess, sys, threading, time

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "rig"))

import checks
from daemon import Daemon, models
from desk import Clip, FaceDesk, PinDesk
from faults import Faults
from people import Person
from processes import Failed, Folder, free_ports, until
from proxy import Proxy
from schedule import agrees
from server import Database, Server
from space import Clock, Nowhere, Space, WallClock, libfaketime, may_mount
from watch import Watch

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(1 << 32))
ONLY = [kind.strip() for kind in os.environ.get("SOAK_ONLY", "").split(",") if kind.strip()]
PEOPLE, PAUSE_S = 4, 0.4
# Blinks a minute of the two faces: one that kills often meet, and one like a person's.
FACES = {"ada": 60, "eve": 25}
PROGRAMS = ["blinkd", "blinkctl", "cloud-api", "face-worker"]


class Rig:
    """All that runs."""

    def __init__(self, folder, programs):
        self.folder, self.faults_seen = folder, []
        self.mounts = may_mount()
        timed = self.mounts and libfaketime()
        space = lambda name, on_disk: Space(folder, name, on_disk) if self.mounts else Nowhere(folder, name)
        clock = lambda name: Clock(folder, name) if timed else WallClock()
        self.database = Database(folder)
        self.server = Server(folder, programs, self.database, space("server", False), clock("server"))
        (port,) = free_ports(1)
        self.proxy = Proxy(port, self.server.port)
        self.daemons = [
            Daemon(folder, programs, name, SEED % 1_000_000 + n, bpm, f"http://127.0.0.1:{port}", space(name, True), clock(name))
            for n, (name, bpm) in enumerate(FACES.items())
        ]
        self.faults = Faults(SEED, self, ONLY)
        self.watch = Watch(self.server, self.daemons, self.faults)
        answered = self.watch.answered
        # Half of them are behind the network that is cut.
        self.people = [
            Person(f"127.0.0.1:{port}" if n % 2 else self.server.address, f"bob{n}", True, PAUSE_S, 0.5, answered)
            for n in range(PEOPLE)
        ]
        self.clip = self.drawn(programs)
        address = self.server.address
        self.desks = [PinDesk(address, SEED, answered), FaceDesk(address, SEED, answered, self.clip)]

    def drawn(self, programs):
        """A clip of the drawn face for the desk."""
        clip, truth = self.folder.path / "face.avi", self.folder.path / "face.json"
        draw = ["synthesize", clip, "--truth", truth, "--seconds", "40", "--bpm", "20", "--seed", "3", "--sway", "4"]
        env = {**os.environ, "BLINKD_MODELS_DIR": models()}
        subprocess.run([programs / "blinkd", *draw], env=env, check=True, capture_output=True)
        truth = json.loads(truth.read_text())
        if not agrees(truth):
            raise Failed("tests/soak/schedule.py has the blinks elsewhere than blinkd")
        return Clip(clip, truth)

    def start(self):
        self.database.start()
        self.server.open()
        self.server.start()
        self.server.wait()
        for email, role in (("desk-pin", "manager"), ("desk-face", "manager"), ("kiosk", "kiosk")):
            self.server.create(f"{email}@example.org", role)
        for account in (self.desks[0].manager, self.desks[0].kiosk, self.desks[1].manager):
            account.sign_in()
        self.proxy.start()
        self.proxy.ready.wait(10)
        for daemon in self.daemons:
            daemon.open()
            daemon.start()
            daemon.register()
        for person in self.people:
            person.account.register()
        for thread in [*self.people, *self.desks, self.watch]:
            thread.start()

    def stop_streams(self):
        """Everybody goes on until their last request is answered."""
        streams = [*self.people, *self.desks]
        for one in streams:
            one.ending.set()
        for one in streams:
            one.join(200)
            if one.is_alive():
                self.faults_seen.append(f"{one.name} does not come to an end")
            self.faults_seen += one.wrong

    def stop(self):
        for process in [*(daemon.process for daemon in self.daemons), self.server.process]:
            if process:
                process.stop()
        logs = os.environ.get("SOAK_LOGS")
        if logs:
            shutil.copytree(self.folder.path / "logs", logs, dirs_exist_ok=True)
            for daemon in self.daemons:
                daemon.keep_logs(pathlib.Path(logs))
        for one in [*(daemon.space for daemon in self.daemons), self.server.space]:
            if isinstance(one, Space):
                one.holder.stop(signal.SIGKILL)
        self.database.stop()

    def progress(self, ending):
        """A line each minute."""
        began, minute = time.monotonic(), 0
        while not ending.wait(max(0.0, began + 60 * (minute + 1) - time.monotonic())):
            minute += 1
            kinds = collections.Counter(fault.kind for fault in self.faults.done)
            last = [f"{fault.kind} ({fault.note['who']})" if "who" in fault.note else fault.kind for fault in self.faults.done[-2:]]
            blinks = sum(daemon.announced_by_now() for daemon in self.daemons)
            sizes = [f"{name} {samples[-1].mb:.0f}" for name, samples in sorted(self.watch.samples.items()) if samples]
            print(
                f"minute {minute}: {sum(kinds.values())} faults, the last {', '.join(last) or 'none'}; {blinks} blinks, "
                f"{sum(len(person.acknowledged) for person in self.people)} minutes, {sum(len(desk.marks) for desk in self.desks)} "
                f"marks; MB: {', '.join(sizes)}; 5xx unexplained: {self.watch.unexplained().total() + self.watch.counted.total()}",
                flush=True,
            )


def table(rig, whole_s):
    lines, broken = [], []

    def part(found):
        lines.extend(found[0])
        broken.extend(found[1])

    kinds = collections.Counter(fault.kind for fault in rig.faults.done)
    lines.append(f"faults: {kinds.total()}; " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    full = [fault for fault in rig.faults.done if fault.kind == "disk full"]
    lines += [f"in {sum(fault.note['said'] for fault in full)} of {len(full)} full disks something needed room"] if full else []
    lines += [f"left out: {what}" for what in rig.faults.left_out]
    part(checks.blinks(rig.daemons, rig.database, rig.server))
    part(checks.minutes(rig.people, rig.database))
    part(checks.marks(rig.desks, rig.database, rig.server))
    part(checks.archive(rig.database, rig.server))
    for name, took in sorted(rig.faults.took.items()):
        took = sorted(took)
        lines.append(f"{name}: {took[len(took) // 2]:.2f} s in the median, {took[-1]:.2f} s at most, of {len(took)}")
    part(rig.watch.table(whole_s))
    alone, counted = rig.watch.unexplained(), rig.watch.counted
    lines.append(
        f"5xx while server and database were well: {alone.total()} of those we asked, {counted.total()} in the server's own "
        f"count; meanwhile {len(rig.watch.answers) - alone.total()} were excused"
    )
    broken += [f"5xx for no reason: {what}: {count}" for what, count in (alone + counted).items()]
    if rig.watch.most_workers > max((os.cpu_count() or 1) - 1, 1):
        broken.append(f"there were {rig.watch.most_workers} face-workers at once")
    return lines, broken


def soak(rig, ending):
    rig.start()
    threading.Thread(target=rig.progress, args=(ending,), daemon=True).start()
    began = time.monotonic()
    rig.faults.run(began + 60 * MINUTES, ending)
    while not ending.wait(max(0.0, began + 60 * MINUTES - time.monotonic())):
        break
    rig.watch.ending.set()
    ending.set()
    print("no more faults; everything comes to rest", flush=True)
    rig.stop_streams()
    for daemon in rig.daemons:
        sync, queue, code = daemon.settle()
        left = {name: queue[name] for name in ("pending", "set_aside") if queue[name]}
        if left or code != 0:
            rig.faults_seen.append(f"{daemon.name} ends with {code}, and in its queue {left}")
    lines, broken = table(rig, 60 * MINUTES)
    code = rig.server.process.stop()
    if code != 0:
        broken.append(f"cloud-api ended with {code} on SIGTERM")
    until("no face-worker is left", lambda: not rig.server.left_over(), 10)
    broken += checks.panics(rig)
    return lines, rig.faults_seen + broken


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    programs = pathlib.Path(sys.argv[1]).resolve()
    missing = [name for name in PROGRAMS if not (programs / name).is_file()]
    if missing:
        sys.exit(f"{programs} has no {', '.join(missing)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell that starts it in the background has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"SOAK_SEED={SEED} SOAK_MINUTES={MINUTES:g}", flush=True)
    folder, rig, ending, broken = Folder("soak"), None, threading.Event(), []
    try:
        rig = Rig(folder, programs)
        lines, broken = soak(rig, ending)
        print("\n".join(lines))
    except Failed as e:
        broken = [*(rig.faults_seen if rig else []), str(e)]
    except KeyboardInterrupt:
        print("ended by hand", file=sys.stderr)
        sys.exit(130)
    finally:
        ending.set()
        if rig:
            rig.stop()
    for fault in broken:
        print(f"FAULT: {fault}")
    print("every promise holds" if not broken else f"{len(broken)} promises do not hold")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
