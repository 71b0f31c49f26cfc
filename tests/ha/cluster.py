"""The servers: three hosts with etcd, Patroni and PostgreSQL; HAProxy and PgBouncer; two replicas of cloud-api. Each runs
with the files of packaging/ha, filled in for loopback."""
import base64, json, os, pathlib, secrets, signal, socket, ssl, string, subprocess, urllib.request

from processes import Failed, Process, free_ports, postgres_bin, until, with_children

HERE = pathlib.Path(__file__).resolve().parent
PACKAGING = HERE.parent.parent / "packaging" / "ha"
NAMES = ["db1", "db2", "db3"]


class Cluster:
    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        names = ["POSTGRES_PORT", "REST_PORT", "ETCD_PORT", "ETCD_PEER_PORT", "LEADER_PORT"]
        *ports, web, api1, api2 = free_ports(len(names) + 3)
        self.web, self.apis = f"127.0.0.1:{web}", [f"127.0.0.1:{api1}", f"127.0.0.1:{api2}"]
        passwords = ["SUPERUSER", "REPLICATION", "REWIND", "CLOUD_API"]
        self.values = {
            # Each host of the database has a loopback address of its own.
            "DB1": "127.0.0.11", "DB2": "127.0.0.12", "DB3": "127.0.0.13",
            "DB_NETWORK": "127.0.0.0/8", "API_NETWORK": "127.0.0.0/8",
            **{name: str(port) for name, port in zip(names, ports)},
            **{f"{name}_PASSWORD": secrets.token_hex(12) for name in passwords},
            "API1": self.apis[0], "API2": self.apis[1], "WEB_BIND": self.web, "PUBLIC_URL": f"http://{self.web}",
            "TRUSTED_PROXIES": "127.0.0.1", "POSTGRES_BIN": str(postgres_bin()),
            "HAPROXY_RUN": str(folder.make("haproxy")),
            # There is none here; run.py does its work.
            "WATCHDOG": "automatic",
        }
        tls = folder.make("tls")
        # Whoever connects over loopback comes from 127.0.0.1, which etcd compares with the certificate.
        hosts = [f"{name}={self.values[name.upper()]},127.0.0.1" for name in NAMES]
        folder.run(PACKAGING / "certificates.sh", tls, *hosts)
        self.values["TLS_DIR"] = str(tls / "db1")
        self.tls_context = ssl.create_default_context(cafile=str(tls / "ca.crt"))
        self.nodes = [Node(self, name) for name in NAMES]
        haproxy = self.render("haproxy.cfg", "haproxy/haproxy.cfg")
        self.haproxy = Process(folder, "haproxy", ["/usr/sbin/haproxy", "-db", "-f", haproxy])
        self.replicas = [Replica(self, f"api{n}", address) for n, address in enumerate(self.apis, 1)]

    def render(self, template, name, **more):
        text = (PACKAGING / template).read_text()
        return self.folder.write(name, string.Template(text).substitute(self.values, **more))

    def settings(self, template, name, **more):
        lines = self.render(template, name, **more).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def start(self):
        for node in self.nodes:
            node.etcd.start()
        for node in self.nodes:
            node.patroni.start()
        until("three PostgreSQL with a leader and a synchronous standby", self.whole_or_failed, 180)
        leader = self.leader()
        password = self.values["CLOUD_API_PASSWORD"]
        leader.sql(f"CREATE ROLE cloud_api LOGIN PASSWORD '{password}'", "postgres")
        leader.sql("CREATE DATABASE waw OWNER cloud_api", "postgres")
        self.folder.run("/usr/sbin/haproxy", "-c", "-f", self.haproxy.command[-1])
        self.haproxy.start()
        until("HAProxy runs", pathlib.Path(self.values["HAPROXY_RUN"], "admin.sock").exists, 10)
        until("HAProxy sees the leader alone", lambda: self.leaders_at_haproxy() == [leader.name], 30)
        # Replicas may start together: one migrates, the other waits for it.
        for replica in self.replicas:
            replica.pgbouncer.start()
            until("PgBouncer listens", replica.pgbouncer_listens, 10)
            replica.process.start()
        for replica in self.replicas:
            replica.wait()
        for name in ("api1", "api2"):
            until(f"HAProxy takes {name}", lambda: self.server_state("cloud_api", name).startswith("UP"))

    def stop(self):
        for replica in self.replicas:
            replica.process.stop()
            replica.pgbouncer.stop()
        self.haproxy.stop()
        for node in self.nodes:
            node.send(signal.SIGCONT)
            node.patroni.send(signal.SIGTERM)
        for node in self.nodes:
            node.patroni.stop()
            node.kill()

    def view(self):
        """What Patroni says about the cluster; asked of every host, since any may be down."""
        for node in self.nodes:
            try:
                return node.rest("/cluster")["members"]
            except (OSError, ValueError):
                continue
        return []

    def leader(self):
        def find():
            members = [member for member in self.view() if member["role"] == "leader"]
            names = [member["name"] for member in members if member["state"] == "running"]
            return next((node for node in self.nodes if node.name in names and node.is_primary()), None)

        return until("a leader", find, 120)

    def standbys(self, role):
        names = [member["name"] for member in self.view() if member["role"] == role]
        return [node for node in self.nodes if node.name in names]

    def whole_or_failed(self):
        for process in [process for node in self.nodes for process in (node.etcd, node.patroni)]:
            if not process.runs():
                raise Failed(f"{process.name} ended: {process.said()}")
        return self.whole()

    def whole(self):
        """Whether there is a leader, and both others follow it on its timeline, one of them synchronously."""
        members = self.view()
        leaders = [member for member in members if member["role"] == "leader" and member["state"] == "running"]
        if len(members) != 3 or len(leaders) != 1:
            return False
        others = [member for member in members if member is not leaders[0]]
        follow = all(
            member["state"] in ("running", "streaming") and member.get("timeline") == leaders[0].get("timeline")
            for member in others
        )
        if not follow or sorted(member["role"] for member in others) != ["replica", "sync_standby"]:
            return False
        node = next(node for node in self.nodes if node.name == leaders[0]["name"])
        try:
            return node.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "postgres") == "2"
        except (Failed, subprocess.TimeoutExpired):
            return False

    def haproxy_says(self, command):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(10)
            control.connect(f"{self.values['HAPROXY_RUN']}/admin.sock")
            control.sendall(command.encode() + b"\n")
            answer = b""
            while part := control.recv(65536):
                answer += part
        return answer.decode()

    def leaders_at_haproxy(self):
        return [name for name in NAMES if self.server_state("leader", name).startswith("UP")]

    def server(self, backend, name):
        head, *rows = [line.split(",") for line in self.haproxy_says("show stat").splitlines() if line]
        head[0] = head[0].lstrip("# ")
        named = (dict(zip(head, row)) for row in rows)
        return next(row for row in named if (row["pxname"], row["svname"]) == (backend, name))

    def server_state(self, backend, name):
        return self.server(backend, name)["status"]


class Node:
    """A host of the database: etcd, Patroni and the PostgreSQL that Patroni runs."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        folder, values = cluster.folder, cluster.values
        self.address = values[name.upper()]
        home = folder.make(name)
        folder.make(f"{name}/run")
        self.data = home / "data"
        own = {
            "NODE": name, "NODE_ADDRESS": self.address, "TLS_DIR": f"{folder.path}/tls/{name}", "POSTGRES_DATA": self.data,
            "POSTGRES_RUN": home / "run", "ETCD_DATA": folder.make(f"{name}/etcd"),
        }
        self.socket = home / "run"
        env = cluster.settings("etcd.env", f"{name}/etcd.env", **own)
        self.etcd = Process(folder, f"{name}-etcd", ["/usr/bin/etcd"], env)
        patroni = ["/usr/bin/patroni", cluster.render("patroni.yml", f"{name}/patroni.yml", **own)]
        # Patroni writes the pgpass of its own host into its home.
        self.patroni = Process(folder, f"{name}-patroni", patroni, {"HOME": str(home)})

    def rest(self, path):
        url = f"https://{self.address}:{self.cluster.values['REST_PORT']}{path}"
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.cluster.tls_context)
        )
        with opener.open(url, timeout=2) as answer:
            return json.load(answer)

    def is_primary(self):
        try:
            self.rest("/primary")
            return True
        except (OSError, ValueError):
            return False

    def sql(self, query, database="waw"):
        values = self.cluster.values
        env = {"PGPASSWORD": values["SUPERUSER_PASSWORD"], "PGCONNECT_TIMEOUT": "5"}
        where = ["-h", self.socket, "-p", values["POSTGRES_PORT"], "-U", "postgres", "-d", database]
        psql = postgres_bin() / "psql"
        return self.cluster.folder.run(psql, "-XAtq", "-v", "ON_ERROR_STOP=1", *where, "-c", query, env=env).strip()

    def processes(self):
        """Every process of this host."""
        found = [process.child.pid for process in (self.patroni, self.etcd) if process.runs()]
        try:
            postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
            # A number from before may be another process by now.
            if str(self.data).encode() in pathlib.Path(f"/proc/{postmaster}/cmdline").read_bytes():
                found.append(postmaster)
        except (OSError, ValueError, IndexError):
            pass
        return sorted({pid for one in found for pid in with_children(one)})

    def send(self, number):
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        """The host is gone: all of it dies at once."""
        self.send(signal.SIGKILL)
        for process in (self.patroni, self.etcd):
            process.stop(signal.SIGKILL)
        until(f"nothing of {self.name} runs", lambda: not self.processes(), 30)

    def start(self):
        self.etcd.start()
        self.patroni.start()


class Replica:
    """A cloud-api, with the PgBouncer of its host."""

    def __init__(self, cluster, name, address):
        folder, password = cluster.folder, cluster.values["CLOUD_API_PASSWORD"]
        pooler, home = folder.make(f"{name}-pgbouncer"), folder.path / name
        home.mkdir()
        (port,) = free_ports(1)
        own = {
            "PGBOUNCER_PORT": str(port), "PGBOUNCER_DIR": pooler, "PGBOUNCER_RUN": pooler,
            "API_LISTEN": address, "CLOUD_API_DIR": home, "CLOUD_API_DATA": home,
        }
        folder.write(f"{name}-pgbouncer/userlist.txt", f'"cloud_api" "{password}"\n')
        pgbouncer = cluster.render("pgbouncer.ini", f"{name}-pgbouncer/pgbouncer.ini", **own)
        self.pgbouncer = Process(folder, f"{name}-pgbouncer", ["/usr/sbin/pgbouncer", "-q", pgbouncer])
        env = cluster.settings("cloud-api.env", f"{name}/cloud-api.env", **own)
        pgpass = home / "pgpass"
        pgpass.write_text(f"127.0.0.1:{port}:waw:cloud_api:{password}\n")
        pgpass.chmod(0o600)
        key = home / "master.key"
        key.write_text(cluster.values.setdefault("MASTER_KEY", base64.b64encode(secrets.token_bytes(32)).decode()))
        key.chmod(0o600)
        self.name, self.address, self.pooler = name, address, ("127.0.0.1", port)
        self.process = Process(folder, name, [cluster.program, "serve"], {"HOME": str(home), **env}, as_user=False)

    def pgbouncer_listens(self):
        with socket.socket() as client:
            return client.connect_ex(self.pooler) == 0

    def is_ready(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{self.address}/healthz", timeout=3) as answer:
                return answer.status == 200
        except OSError:
            return False

    def wait(self):
        def ready():
            if not self.process.runs():
                raise Failed(f"{self.name} ended: {self.process.said()}")
            return self.is_ready()

        until(f"{self.name} is ready", ready, 120)
