"""What is looked at all the time: memory and open files of each program, and answers of 5xx while nothing was wrong."""
import collections, os, pathlib, statistics, threading, time

EVERY_S = 5
MB = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
# How much more the last third may hold than the second.
MORE, MORE_MB, MORE_FILES = 1.1, 5, 5

Sample = collections.namedtuple("Sample", "at mb files")
Answer = collections.namedtuple("Answer", "what began ended status")


def measured(pid):
    """(resident MB, open files); None where the process is gone."""
    try:
        resident = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / MB
        return resident, len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, IndexError):
        return None


class Watch(threading.Thread):
    def __init__(self, server, daemons, faults):
        super().__init__(name="watch", daemon=True)
        self.server, self.daemons, self.faults = server, daemons, faults
        self.ending, self.samples = threading.Event(), collections.defaultdict(list)
        self.answers, self.counted, self.before = [], collections.Counter(), (0.0, 0, {})
        self.most_workers = 0

    def run(self):
        self.began = time.monotonic()
        while not self.ending.wait(EVERY_S):
            self.measure()
            self.count()

    def measure(self):
        processes = [(daemon.name, daemon.process) for daemon in self.daemons] + [("cloud-api", self.server.process)]
        pids = [(name, process.child.pid) for name, process in processes if process.runs()]
        workers = self.server.face_workers() if self.server.process.runs() else []
        self.most_workers = max(self.most_workers, len(workers))
        for name, pid in [*pids, *(("face-worker", pid) for pid in workers[:1])]:
            if found := measured(pid):
                self.samples[name].append(Sample(time.monotonic() - self.began, *found))

    def count(self):
        """Answers that the server counted itself, of whomever: the daemons' too."""
        at = time.monotonic()
        try:
            now = self.server.answers_5xx()
        except OSError:
            return
        (before_at, before_pid, before), pid = self.before, self.server.process.child.pid
        self.before = (at, pid, now)
        if pid == before_pid and not self.faults.troubled("/api/attendance", before_at, at):
            self.counted.update({what: n - before.get(what, 0) for what, n in now.items() if n > before.get(what, 0)})

    def answered(self, method, path, status, code, began):
        if status >= 500:
            parts = path.partition("?")[0].split("/")
            route = "/".join("*" if any(c.isdigit() for c in part) else part for part in parts)
            self.answers.append(Answer(f"{method} {route} {status} {code}", began, time.monotonic(), status))

    def unexplained(self):
        """Answers of 5xx to requests during which nothing was wrong with server and database."""
        return collections.Counter(
            answer.what for answer in self.answers if not self.faults.troubled(answer.what, answer.began, answer.ended)
        )

    def median(self, name, first_s, last_s, of):
        found = [getattr(sample, of) for sample in self.samples[name] if first_s <= sample.at < last_s]
        return statistics.median(found) if found else None

    def table(self, whole_s):
        """Lines of memory and files of each program at a sixth, half and the end of the run, and the medians of its
        thirds; and the faults in them."""
        marks = [whole_s / 6, whole_s / 2, whole_s]
        heads = [f"minute {mark / 60:.2g}" for mark in marks] + ["2nd third", "3rd third", "flat"]
        lines, faults = [f"{'':<26}" + "".join(f"{head:>11}" for head in heads)], []
        for name in [*(daemon.name for daemon in self.daemons), "cloud-api", "face-worker"]:
            for of, unit, more in (("mb", "MB resident", MORE_MB), ("files", "open files", MORE_FILES)):
                shown = [self.median(name, mark - 60, mark, of) for mark in marks]
                thirds = [self.median(name, whole_s * n / 3, whole_s * (n + 1) / 3, of) for n in (1, 2)]
                is_flat = None not in thirds and thirds[1] <= MORE * thirds[0] + more
                cells = ["-" if value is None else f"{value:.0f}" for value in shown + thirds] + ["yes" if is_flat else "NO"]
                lines.append(f"{f'{name}, {unit}':<26}" + "".join(f"{cell:>11}" for cell in cells))
                if not is_flat:
                    faults.append(f"{name}: {unit} rose from {thirds[0]} to {thirds[1]}")
        return lines, faults
