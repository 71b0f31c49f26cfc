"""What is done to the programs, one thing at a time, and how they come back."""
import collections, random, time

from processes import until
from proxy import KINDS
from space import Clock, Space

Fault = collections.namedtuple("Fault", "kind began ended note")
# While one of these is on, the server may answer 5xx.
OF_THE_SERVER = ("server killed", "database crashed")
# From the begin of one to the begin of the next; and at least from the end of one.
EVERY_S, REST_S = (10, 40), 3
# Minutes further ahead than 5 are refused by the server.
FARTHEST_S = 150


class Faults:
    def __init__(self, seed, rig, only):
        self.random, self.rig = random.Random(seed), rig
        self.done, self.under_way, self.took, self.left_out = [], None, collections.defaultdict(list), []
        self.kinds = {
            "daemon killed": self.daemon_killed,
            "server killed": self.server_killed,
            "database crashed": self.database_crashed,
            "network off": self.network_off,
            "disk full": self.disk_full,
            "daemon's clock set": self.daemons_clock,
            "server's clock set": self.servers_clock,
        }
        if not any(isinstance(daemon.space, Space) for daemon in rig.daemons):
            self.leave_out("disk full", "this user may not mount a file system")
        if not isinstance(rig.server.clock, Clock):
            for kind in ("daemon's clock set", "server's clock set"):
                self.leave_out(kind, "it takes libfaketime (packaging/bootstrap.sh soak) and a file system that can be mounted")
        for kind in set(self.kinds) - set(only or self.kinds):
            self.leave_out(kind, "SOAK_ONLY")

    def leave_out(self, kind, why):
        if self.kinds.pop(kind, None):
            self.left_out.append(f"{kind}: {why}")

    def run(self, until_at, ending):
        """One after the other until then; each kind comes before any comes again."""
        kinds, self.spare_after = [], time.monotonic() + (until_at - time.monotonic()) / 3
        while True:
            began = time.monotonic()
            if not kinds:
                kinds = self.random.sample(sorted(self.kinds), len(self.kinds))
            pause = self.random.uniform(*EVERY_S)
            if ending.wait(REST_S) or time.monotonic() > until_at:
                return
            kind = kinds.pop()
            self.under_way = (kind, time.monotonic())
            note = self.kinds[kind]()
            self.done.append(Fault(kind, self.under_way[1], time.monotonic(), note))
            self.under_way = None
            if ending.wait(max(0.0, min(began + pause, until_at) - time.monotonic())):
                return

    def troubled(self, what, began, ended):
        """Whether something was wrong with the server in this time; with its desk where it is about that."""
        now = self.under_way
        spans = [(fault.began, fault.note.get("ready", fault.ended) if "/attendance" not in what else fault.ended)
                 for fault in self.done if fault.kind in OF_THE_SERVER]
        if now and now[0] in OF_THE_SERVER:
            spans.append((now[1], float("inf")))
        return any(began <= last and first <= ended for first, last in spans)

    def wait(self, least, most):
        time.sleep(self.random.uniform(least, most))

    def one(self):
        return self.random.choice(self.rig.daemons)

    def daemon_killed(self):
        # After the first third one of them lives on, and would show what a long life gathers.
        daemon = self.one() if time.monotonic() < self.spare_after else self.rig.daemons[0]
        daemon.kill()
        self.wait(0, 3)
        daemon.start()
        # One in four is killed again while it starts.
        if self.random.random() < 0.25:
            self.wait(0, 1)
            daemon.kill()
            daemon.start()
        until(f"{daemon.name} tracks", daemon.tracks, FARTHEST_S + 60)
        if not daemon.listener.was_behind:
            self.took["daemon tracks again"].append(daemon.tracks() - daemon.started)
        return {"who": daemon.name}

    def server_killed(self):
        server = self.rig.server
        server.kill()
        self.wait(0, 5)
        began = time.monotonic()
        server.start()
        ready, desk = server.wait()
        self.took["server is ready again"].append(ready - began)
        self.took["desk is ready again"].append(desk - began)
        return {"ready": ready}

    def database_crashed(self):
        self.rig.database.crash()
        # Often it is back at once, and sometimes it is away for a while.
        self.wait(0, self.random.choice([0, 15]))
        began = time.monotonic()
        self.rig.database.recover()
        there = time.monotonic()
        ready, _ = self.rig.server.wait()
        self.took["database recovers"].append(there - began)
        self.took["server takes writes after that"].append(ready - there)
        return {"ready": ready}

    def network_off(self):
        how = self.random.choice(KINDS)
        self.rig.proxy.set(how)
        self.wait(4, 20)
        self.rig.proxy.set(None)
        return {"who": how}

    def disk_full(self):
        daemon = self.one()
        daemon.space.fill()
        full = time.monotonic()
        try:
            # Files that have room in their last page can be written for a while.
            self.wait(5, 40)
            until("an answer", daemon.status)
            said = daemon.error() == "disk_full"
        finally:
            daemon.space.free()
        freed = time.monotonic()
        # After a clock fault it may also be behind, which passes.
        until(f"{daemon.name} has room again", lambda: daemon.error() == "", FARTHEST_S + 60)
        if said:
            self.took["daemon writes again when there is room"].append(time.monotonic() - freed)
        return {"who": f"{daemon.name} for {freed - full:.0f} s{'' if said else ', unnoticed'}", "said": said}

    def daemons_clock(self):
        daemon = self.one()
        by = self.random.choice([1, -1]) * self.random.randint(2, FARTHEST_S)
        daemon.clock.set(by)
        self.wait(4, 20)
        daemon.clock.set(0)
        # The clock is read once a second.
        self.wait(2, 3)
        return {"who": f"{daemon.name} {by:+d} s"}

    def servers_clock(self):
        by = self.random.choice([1, -1]) * self.random.randint(2, FARTHEST_S)
        self.rig.server.clock.set(by)
        self.wait(4, 20)
        self.rig.server.clock.set(0)
        self.wait(2, 3)
        return {"who": f"{by:+d} s"}
