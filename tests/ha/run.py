#!/usr/bin/env -S python3 -B
"""cloud-api on PostgreSQL that is kept up by Patroni, while hosts die under full load.

    tests/ha/run.py CLOUD_API

Starts three hosts with etcd, Patroni and PostgreSQL, HAProxy, PgBouncer and two replicas of cloud-api on loopback, with the
files of packaging/ha. People upload through both replicas all the time. Then the leader is killed, again and again, and also
a standby, a replica, a leader that only hangs, and a PostgreSQL alone; the replicas are restarted one after the other. In
the end every acknowledged minute must be there exactly once. Prints the figures; exit code 1 when a promise does not hold.

HA_KILLS (10), HA_PEOPLE (24) and HA_WITHIN_S (15) change the numbers; HA_LOGS=FOLDER keeps the logs.
"""
import collections, os, shutil, signal, sys, time

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "rig"))

from cluster import Cluster
from checks import Limits, stored_on_all
from load import Load
from processes import Failed, Folder, until

KILLS = int(os.environ.get("HA_KILLS", "10"))
PEOPLE = int(os.environ.get("HA_PEOPLE", "24"))
# ttl less safety_margin in packaging/ha/patroni.yml.
WATCHDOG_S = 7
WITHIN_S = float(os.environ.get("HA_WITHIN_S", "15"))


def counted(statuses):
    return ", ".join(f"{status or 'none'}: {count}" for status, count in sorted(statuses.items())) or "-"


class Run:
    def __init__(self, cluster):
        self.cluster = cluster
        self.load = Load(cluster.web, cluster.apis, PEOPLE)
        self.faults = []

    def expect(self, holds, what):
        if not holds:
            self.faults.append(what)

    def steady(self):
        """Waits until all hosts are there and everybody uploads, and on for a second."""
        until("three hosts that follow", self.cluster.whole, 180, 0.3)
        self.load.back(self.load.all, time.monotonic())
        now = time.monotonic()
        until("a second of load", lambda: time.monotonic() > now + 1)

    def row(self, name, began, dead, rejoin):
        """Measures how uploads come back, then how long the rest takes."""
        both = self.load.back(self.load.direct, dead)
        everybody = self.load.back(self.load.people, dead)
        rejoin()
        until("three hosts that follow", self.cluster.whole, 240, 0.3)
        whole = time.monotonic()
        tries = self.load.tries(began, everybody[1])
        refused = collections.Counter(t.status for t in tries if t.status != 200)
        longest = max(t.ended - t.began for t in tries)
        first = min(both[0], everybody[0]) - began
        figures = [first, both[1] - began, everybody[1] - began, whole - began, longest]
        print(f"{name:<30}", *(f"{figure:9.1f}" for figure in figures), f"  {counted(refused)}", flush=True)
        self.expect(both[1] - began <= WITHIN_S, f"{name}: writes were back after {both[1] - began:.1f} s")

    def head(self):
        print(f"seconds after it happens       {'first':>9} {'both':>9} {'all':>9} {'rejoined':>9} {'longest':>9}   answers but 200")
        print(f"                               {'write':>9} {'replicas':>9} {'people':>9} {'':9} {'answer':>9}   until all people wrote")

    def lose(self, name, node):
        self.steady()
        before = self.cluster.leader() if node.is_primary() else None
        began = time.monotonic()
        node.kill()
        dead = time.monotonic()
        self.row(name, began, dead, node.start)
        self.expect(before is None or self.cluster.leader() is not before, f"{name}: the dead host is still leader")

    def hang(self):
        """Nothing is reset here: connections stay open and say nothing. Then the watchdog resets the host."""
        self.steady()
        node = self.cluster.leader()
        began = time.monotonic()
        node.send(signal.SIGSTOP)
        stopped = time.monotonic()
        until("the watchdog's time is over", lambda: time.monotonic() > began + WATCHDOG_S)
        node.kill()
        self.row("leader's host hangs, is reset", began, stopped, node.start)

    def crash(self):
        self.steady()
        node = self.cluster.leader()
        postmaster = int((node.data / "postmaster.pid").read_text().split()[0])
        began = time.monotonic()
        os.kill(postmaster, signal.SIGKILL)
        self.row("PostgreSQL of the leader", began, time.monotonic(), lambda: None)

    def switch(self):
        self.steady()
        node, standby = self.cluster.leader(), self.cluster.standbys("sync_standby")[0]
        began = time.monotonic()
        self.cluster.folder.run(
            "/usr/bin/patronictl", "-c", self.cluster.folder.path / node.name / "patroni.yml", "switchover", "waw",
            "--master", node.name, "--candidate", standby.name, "--force",
        )
        self.row("switchover, asked for", began, time.monotonic(), lambda: None)

    def replica_dies(self):
        self.steady()
        replica = self.cluster.replicas[0]
        began = time.monotonic()
        replica.process.stop(signal.SIGKILL)
        dead = time.monotonic()
        first, everybody = self.load.back(self.load.people, dead)
        tries = self.load.tries(began, everybody, self.load.people)
        refused = collections.Counter(t.status for t in tries if t.status != 200)
        replica.process.start()
        replica.wait()
        _, both = self.load.back(self.load.direct, dead)
        figures = [first - began, both - began, everybody - began, time.monotonic() - began]
        longest = max(t.ended - t.began for t in tries)
        print(f"{'replica of cloud-api':<30}", *(f"{figure:9.1f}" for figure in [*figures, longest]), f"  {counted(refused)}")
        self.expect(everybody - began <= WITHIN_S, "a dead replica held people up")

    def rolling_restart(self):
        """The order of docs/operations.md: no new requests, wait for those under way, SIGTERM, start, ready, back."""
        self.steady()
        self.load.pause_direct(True)
        began = time.monotonic()
        for replica in self.cluster.replicas:
            server = f"cloud_api/{replica.name}"
            self.cluster.haproxy_says(f"set server {server} state drain")
            until("nothing is under way", lambda: self.cluster.server("cloud_api", replica.name)["scur"] == "0", 60, 0.05)
            code = replica.process.stop()
            self.expect(code == 0, f"{replica.name} ended with {code} on SIGTERM")
            replica.process.start()
            replica.wait()
            self.cluster.haproxy_says(f"set server {server} state ready")
            until("HAProxy takes it", lambda: self.cluster.server_state("cloud_api", replica.name).startswith("UP"))
            now = time.monotonic()
            self.load.back(self.load.people, now)
        tries = self.load.tries(began, people=self.load.people)
        failed = collections.Counter((t.status, t.code) for t in tries if t.status != 200)
        self.load.pause_direct(False)
        took = time.monotonic() - began
        print(f"\nrolling restart of both replicas: {len(tries)} requests in {took:.1f} s, failed {sum(failed.values())}")
        self.expect(not failed, f"requests failed in the rolling restart: {dict(failed)}")

    def everything(self):
        started = time.monotonic()
        self.load.start()
        self.head()
        limits = Limits(self.cluster)
        limits.first_half()
        for n in range(KILLS):
            self.lose(f"leader's host, {n + 1} of {KILLS}", self.cluster.leader())
            if n == 0:
                # Failures counted before a failover count after it.
                limits.second_half()
        self.steady()
        self.lose("synchronous standby's host", self.cluster.standbys("sync_standby")[0])
        self.crash()
        self.hang()
        self.switch()
        self.replica_dies()
        self.rolling_restart()
        limits.sign_out()
        self.load.stop()
        took = time.monotonic() - started
        for line in limits.lines:
            print(line)
        self.faults += limits.faults + [line for person in self.load.all for line in person.wrong]
        self.faults += stored_on_all(self.cluster, self.load)
        self.totals(took)

    def totals(self, took):
        tries = self.load.tries()
        statuses = collections.Counter((t.status, t.code, "" if t.who.startswith("ada") else "direct") for t in tries)
        well = sorted(t.ended - t.began for t in tries if t.status == 200)
        half, most = well[len(well) // 2], well[len(well) * 99 // 100]
        print(f"requests: {len(tries)} in {took:.0f} s; of the good ones half within {half:.3f} s, 99 % within {most:.3f} s")
        for (status, code, way), count in sorted(statuses.items()):
            print(f"    {status or 'no answer':>9} {code:<22} {'past HAProxy' if way else 'through HAProxy':<16} {count}")
        strange = [key for key in statuses if key[0] not in (0, 200, 502, 503, 504)]
        self.expect(not strange, f"answers that are no outage's: {strange}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Folder("ha")
    cluster = Cluster(folder, os.path.abspath(sys.argv[1]))
    run = Run(cluster)
    try:
        cluster.start()
        run.everything()
    except Failed as e:
        run.faults.append(str(e))
    finally:
        if os.environ.get("HA_LOGS"):
            shutil.copytree(folder.path / "logs", os.environ["HA_LOGS"], dirs_exist_ok=True)
        cluster.stop()
    for fault in run.faults:
        print(f"FAULT: {fault}")
    print("every promise holds" if not run.faults else f"{len(run.faults)} promises do not hold")
    sys.exit(1 if run.faults else 0)


if __name__ == "__main__":
    main()
