"""People who upload minutes, as blinkd does: what was not acknowledged is sent again, the same minutes with the same ids."""
import collections, datetime, random, threading, time, uuid

from client import AGAIN_AFTER_S, Account, Api, insist
from processes import Failed

BATCH = 60

Try = collections.namedtuple("Try", "began ended status code who")


def blinks_of(minute):
    return minute % 30


class Person(threading.Thread):
    """Uploads minute after minute, or batches, through one address."""

    def __init__(self, address, name, singles=False, pause_s=0.0, alone=0.0, answered=None):
        super().__init__(name=name, daemon=True)
        self.account = Account(Api(address, answered), f"{name}@example.org")
        self.singles, self.pause_s, self.device = singles, pause_s, str(uuid.uuid4())
        # So large a part of the single minutes goes to the address for single ones.
        self.alone = alone
        self.random = random.Random(name)
        self.tries, self.acknowledged, self.wrong = [], set(), []
        self.ending, self.may_go = threading.Event(), threading.Event()
        self.may_go.set()
        # Within retention, and so long ago that nobody gets to the present in a run.
        long_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=500)
        self.next_minute = int(long_ago.timestamp()) // 60

    def run(self):
        try:
            while not self.ending.is_set():
                if not self.may_go.wait(0.1):
                    continue
                self.upload(1 if self.singles or self.random.random() < 0.8 else BATCH)
                if self.pause_s:
                    self.ending.wait(self.pause_s)
        except Exception as e:
            self.wrong.append(f"{self.name}: {e!r}")

    def upload(self, count):
        minutes = range(self.next_minute, self.next_minute + count)
        self.next_minute += count
        buckets = [self.bucket(minute) for minute in minutes]
        alone = count == 1 and self.random.random() < self.alone
        while True:
            began = time.monotonic()
            if alone:
                status, answer = self.account.ask("POST", "/api/blink", {"device_id": self.device, **buckets[0]})
            else:
                body = {"device_id": self.device, "buckets": buckets}
                status, answer = self.account.ask("POST", "/api/blink/sync", body)
            self.tries.append(Try(began, time.monotonic(), status, answer.get("error", {}).get("code", ""), self.name))
            if status in (200, 201):
                if not alone and answer["accepted"] + answer["duplicates"] != count:
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


# A sum that counts a minute twice, or not at all, is as wrong as the minute.
WRONG_SUMS = (
    "WITH counted AS (SELECT user_id, date_bin('15 minutes', from_timestamp, 'epoch') AS slot_from, "
    "sum(blink_count) AS blinks, sum(observed_ms) AS ms, count(*) AS minutes FROM blink_data GROUP BY 1, 2) "
    "SELECT count(*) FROM counted FULL JOIN blink_rollups USING (user_id, slot_from) WHERE "
    "(blinks, ms, counted.minutes) IS DISTINCT FROM (blink_count, observed_ms, blink_rollups.minutes)"
)


def stored(sql, people):
    """Compares what was acknowledged with the database and with what people are shown; `sql` asks the database."""
    listing = (
        "SELECT user_id, extract(epoch FROM from_timestamp)::bigint / 60 FROM blink_data WHERE device_id = '{}'"
    )
    found = collections.Counter({"wrong sums": int(sql(WRONG_SUMS))})
    for person in people:
        rows = [line.split("|") for line in sql(listing.format(person.device)).splitlines()]
        minutes = [int(minute) for user, minute in rows if user == person.account.id]
        found["acknowledged"] += len(person.acknowledged)
        found["found"] += len(set(minutes))
        person.lost = sorted(person.acknowledged - set(minutes))
        found["lost"] += len(person.lost)
        found["doubled"] += len(minutes) - len(set(minutes))
        found["never acknowledged"] += len(set(minutes) - person.acknowledged) + len(rows) - len(minutes)
        path = "/api/user/me/blinks?group=week&limit=1000"
        items = insist(lambda: person.account.ask("GET", path), [200])["items"]
        shown = sum(item["blink_count"] for item in items)
        found["shown wrong"] += shown != sum(map(blinks_of, person.acknowledged))
    return found
