"""PostgreSQL, and one cloud-api on it with an archive and the attendance desk."""
import base64, json, os, pathlib, secrets, signal, subprocess, time, urllib.request

from client import PASSWORD
from daemon import models
from processes import Failed, Process, free_ports, postgres_bin, until, with_children

# A minute of somebody waits so long for others that go into the same object of the archive.
GATHER_S = 20


class Database:
    def __init__(self, folder):
        self.folder, self.home = folder, folder.make("db")
        self.data, run = self.home / "data", folder.make("db/run")
        (self.port,) = free_ports(1)
        self.password = secrets.token_hex(12)
        secret = folder.write("db/password", self.password)
        folder.run(
            postgres_bin() / "initdb", "--pgdata", self.data, "--username=postgres", "--auth=scram-sha-256", "--pwfile", secret,
            "--encoding=UTF8", "--locale=C.UTF-8",
        )
        self.options = f"-p {self.port} -k {run} -c listen_addresses=127.0.0.1"

    def pg_ctl(self, action, *more):
        log = self.folder.path / "logs" / "postgres.log"
        self.folder.run(postgres_bin() / "pg_ctl", "--pgdata", self.data, "--log", log, "--wait", "--silent", *more, action)

    def start(self):
        self.recover()
        self.sql("CREATE DATABASE waw", "postgres")

    def crash(self):
        """Ends without a checkpoint, to recover from its log."""
        self.pg_ctl("stop", "--mode=immediate")

    def recover(self):
        self.pg_ctl("start", "--options", self.options)

    def stop(self):
        if (self.data / "postmaster.pid").exists():
            self.pg_ctl("stop", "--mode=fast")

    def sql(self, query, database="waw"):
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database]
        env = {"PGPASSWORD": self.password, "PGCONNECT_TIMEOUT": "5"}
        psql = postgres_bin() / "psql"
        return self.folder.run(psql, "-XAtq", "-v", "ON_ERROR_STOP=1", *where, "-c", query, env=env).strip()


class Server:
    def __init__(self, folder, programs, database, space, clock):
        (self.port,) = free_ports(1)
        self.address, self.folder, self.space, self.clock = f"127.0.0.1:{self.port}", folder, space, clock
        home = self.home = folder.path / "cloud-api"
        home.mkdir(mode=0o700)
        pgpass, key = home / "pgpass", home / "master.key"
        pgpass.write_text(f"127.0.0.1:{database.port}:waw:postgres:{database.password}\n")
        key.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
        for secret in (pgpass, key):
            secret.chmod(0o600)
        self.env = {
            "HOME": str(home), "XDG_DATA_HOME": f"{home}/data", "PGPASSFILE": str(pgpass), "BLINKD_MODELS_DIR": models(),
            "DATABASE_URL": f"postgres://postgres@127.0.0.1:{database.port}/waw?sslmode=disable",
            "CLOUD_API_MASTER_KEY_FILE": str(key), "CLOUD_API_LEDGER": f"{home}/ledger.ndjson",
            "CLOUD_API_EXPORTS_DIR": f"{home}/exports", "CLOUD_API_LISTEN": self.address,
            "CLOUD_API_ARCHIVE": f"folder:{home}/archive", "CLOUD_API_ARCHIVE_GATHER_S": str(GATHER_S),
        }
        self.program, self.process, self.workers = programs / "cloud-api", None, set()
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def open(self):
        self.space.open()
        command = [*self.space.enter(), *self.clock.environment(), self.program, "serve"]
        self.process = Process(self.folder, "cloud-api", command, self.env, as_user=False)

    def start(self):
        self.process.start()

    def kill(self):
        if not self.process.runs():
            raise Failed(f"cloud-api ended by itself: {self.process.said()}")
        self.process.stop(signal.SIGKILL)

    def command(self, *words, stdin=""):
        env = {"PATH": os.environ["PATH"], **self.env}
        done = subprocess.run(
            [str(self.program), *words], env=env, cwd=self.home, input=stdin, capture_output=True, text=True, timeout=120
        )
        if done.returncode != 0:
            raise Failed(f"cloud-api {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def create(self, email, role):
        self.command("admin", "create", email, "--role", role, "--password-stdin", stdin=f"{PASSWORD}\n")

    def get(self, path):
        with self.opener.open(f"http://{self.address}{path}", timeout=5) as answer:
            return answer.read().decode()

    def ready(self):
        """What /healthz says; None while it does not say that it is ready."""
        if not self.process.runs():
            raise Failed(f"cloud-api ended by itself: {self.process.said()}")
        try:
            return json.loads(self.get("/healthz"))
        except (OSError, ValueError):
            return None

    def wait(self):
        """Waits until it is ready, and until its desk is; returns when that was."""
        until("cloud-api is ready", self.ready, 90, 0.05)
        ready = time.monotonic()
        until("the desk is ready", lambda: (self.ready() or {}).get("attendance") == "ok", 90, 0.1)
        return ready, time.monotonic()

    def face_workers(self):
        """The face-workers that it runs now. All that ever were are remembered."""
        found = [(pid, begun(pid)) for pid in with_children(self.process.child.pid)[1:]]
        found = [(pid, at) for pid, at in found if at]
        self.workers.update(found)
        return [pid for pid, _ in found]

    def left_over(self):
        """Workers that still run. The server has ended."""
        return [pid for pid, at in self.workers if begun(pid) == at]

    def answers_5xx(self):
        """{(route, status): count} of this process."""
        counts = {}
        for line in self.get("/metrics").splitlines():
            if line.startswith("http_requests_total{"):
                labels, _, number = line.partition("{")[2].rpartition("} ")
                label = dict(part.split("=", 1) for part in labels.replace('"', "").split(","))
                if label["status"].startswith("5"):
                    key = f"{label['method']} {label['route']} {label['status']}"
                    counts[key] = counts.get(key, 0) + int(float(number))
        return counts


def begun(pid):
    """When a face-worker began, in ticks; None for what is none."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name, _, rest = stat.partition("(")[2].rpartition(")")
    return rest.split()[19] if name.startswith("face-worker") else None
