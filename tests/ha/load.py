"""People who upload minutes, as blinkd does: what was not acknowledged is sent again, the same minutes with the same ids."""
import collections, datetime, http.client, itertools, json, random, threading, time, uuid

from processes import Failed

PASSWORD = "correct horse battery"
# blinkd waits 15 s and more after a failure; here everybody is back soon, so that an outage is met with full load.
AGAIN_AFTER_S = 0.5
# Above the 35 s after which the server itself gives up on the database, and above HAProxy's 60 s.
LONGEST_ANSWER_S = 70
# cloud-api keeps a silent connection for 5 s.
SILENT_S = 3
BATCH = 60

Try = collections.namedtuple("Try", "began ended status code who")


class Api:
    """A client of one address, with an address of its own on loopback: limits count addresses."""

    numbers = itertools.count(1)

    def __init__(self, address):
        self.address, number = address, next(self.numbers)
        self.source = f"127.0.{1 + number // 250}.{1 + number % 250}"
        self.connection, self.used = None, 0

    def ask(self, method, path, body=None, token=None):
        """(status, JSON); the status is 0, and the JSON the reason, where there was no answer."""
        if time.monotonic() > self.used + SILENT_S:
            self.close()
        if self.connection is None:
            self.connection = http.client.HTTPConnection(
                self.address, timeout=LONGEST_ANSWER_S, source_address=(self.source, 0)
            )
        headers = {"Content-Type": "application/json", "User-Agent": "ha-test/1"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = self.connection.getresponse()
            text, self.used = answer.read(), time.monotonic()
            if answer.will_close:
                self.close()
        except (OSError, http.client.HTTPException) as e:
            self.close()
            return 0, {"error": {"code": type(e).__name__}}
        try:
            return answer.status, json.loads(text) if text else {}
        except ValueError:
            return answer.status, {"error": {"code": "not_json"}}

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def insist(ask, wanted, within_s=60):
    """Asks until the answer has a wanted status."""
    end = time.monotonic() + within_s
    while True:
        status, answer = ask()
        if status in wanted:
            return answer
        if time.monotonic() > end:
            raise Failed(f"still {status} {answer}, and not {wanted}")
        time.sleep(AGAIN_AFTER_S)


def blinks_of(minute):
    return minute % 30


class Person(threading.Thread):
    """Uploads minute after minute, or batches, through one address."""

    def __init__(self, address, name, singles=False, pause_s=0.0):
        super().__init__(name=name, daemon=True)
        self.api, self.singles, self.pause_s = Api(address), singles, pause_s
        self.email, self.device = f"{name}@example.org", str(uuid.uuid4())
        self.random = random.Random(name)
        self.tries, self.acknowledged, self.wrong = [], set(), []
        self.ending, self.may_go = threading.Event(), threading.Event()
        self.may_go.set()
        # Within retention, and so long ago that nobody gets to the present in a run.
        long_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=500)
        self.next_minute = int(long_ago.timestamp()) // 60

    def register(self):
        body = {"email": self.email, "password": PASSWORD, "timezone": "UTC", "consent": {"tracking": True, "version": "1"}}
        answer = insist(lambda: self.api.ask("POST", "/api/auth/register", body), [201])
        self.id = answer["user"]["id"]
        self.keep(answer)

    def keep(self, answer):
        self.access, self.refresh = answer["access_token"], answer["refresh_token"]
        self.renew_at = time.monotonic() + answer["expires_in"] - 60

    def renew(self):
        body = {"refresh_token": self.refresh}
        self.keep(insist(lambda: self.api.ask("POST", "/api/auth/refresh", body), [200]))

    def run(self):
        try:
            while not self.ending.is_set():
                if not self.may_go.wait(0.1):
                    continue
                if time.monotonic() > self.renew_at:
                    self.renew()
                self.upload(1 if self.singles or self.random.random() < 0.8 else BATCH)
                if self.pause_s:
                    time.sleep(self.pause_s)
        except Exception as e:
            self.wrong.append(f"{self.name}: {e!r}")

    def upload(self, count):
        minutes = range(self.next_minute, self.next_minute + count)
        self.next_minute += count
        body = {"device_id": self.device, "buckets": [self.bucket(minute) for minute in minutes]}
        while True:
            began = time.monotonic()
            status, answer = self.api.ask("POST", "/api/blink/sync", body, self.access)
            self.tries.append(Try(began, time.monotonic(), status, answer.get("error", {}).get("code", ""), self.name))
            if status == 200:
                if answer["accepted"] + answer["duplicates"] != count:
                    raise Failed(f"{count} minutes were sent, the answer is {answer}")
                self.acknowledged.update(minutes)
                return
            time.sleep(AGAIN_AFTER_S * (0.5 + self.random.random()))

    def bucket(self, minute):
        def time_of(minute):
            return datetime.datetime.fromtimestamp(60 * minute, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

        return {
            "id": str(uuid.UUID(int=self.random.getrandbits(128), version=4)), "blink_count": blinks_of(minute),
            "from_timestamp": time_of(minute), "to_timestamp": time_of(minute + 1),
            "observed_ms": 58_000, "mean_fps": 29.97, "quality": "good",
        }


class Load:
    """People through HAProxy, and one at each replica itself, who shows when that replica writes."""

    def __init__(self, web, apis, people):
        self.people = [Person(web, f"ada{n}") for n in range(people)]
        self.direct = [Person(api, f"eve{n}", singles=True, pause_s=0.1) for n, api in enumerate(apis)]
        self.all = self.people + self.direct

    def start(self):
        for person in self.all:
            person.register()
        for person in self.all:
            person.start()

    def pause_direct(self, paused):
        for person in self.direct:
            person.may_go.clear() if paused else person.may_go.set()

    def stop(self):
        """Everybody sends on until their last minutes are acknowledged."""
        for person in self.all:
            person.ending.set()
        for person in self.all:
            person.join(LONGEST_ANSWER_S + 30)
            if person.is_alive():
                raise Failed(f"{person.name} does not come to an end")

    def first_after(self, person, dead):
        """When the first upload ended well that began after `dead`."""
        for one in reversed(range(len(person.tries))):
            if person.tries[one].began < dead:
                break
        else:
            one = -1
        return next((t.ended for t in person.tries[one + 1 :] if t.status == 200), None)

    def back(self, people, dead, within_s=120):
        """Waits until each of them has uploaded again; returns when the first and the last of them had."""
        end = time.monotonic() + within_s
        while True:
            ends = [self.first_after(person, dead) for person in people]
            if all(ends):
                return min(ends), max(ends)
            if time.monotonic() > end:
                missing = [person.name for person, at in zip(people, ends) if not at]
                raise Failed(f"no uploads again within {within_s} s: {missing}; {[p.tries[-1:] for p in self.direct]}")
            time.sleep(0.05)

    def tries(self, since=0.0, until=float("inf"), people=None):
        return [t for person in people or self.all for t in list(person.tries) if since <= t.began < until]
