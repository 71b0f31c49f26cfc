"""What goes on at the attendance desk: people who are added and marked by PIN, lists, corrections; and a face that is
enrolled, shown as a picture, answers a challenge, is marked and forgotten, again and again under another id."""
import collections, json, random, struct, threading, time

from client import AGAIN_AFTER_S, Account, Api
from processes import Failed

# Pictures of a recording a second; the clip has twice as many.
FPS = 15
OUTAGE = (0, 500, 502, 503, 504)


class Clip:
    """The synthetic face as a file of motion JPEG, with its truth file."""

    def __init__(self, path, truth):
        self.pictures = list(pictures(path.read_bytes()))
        self.blinks = [(blink["start_frame"], blink["end_frame"]) for blink in truth["blinks"]]

    def answer(self, cues_ms, seconds):
        """The clip's pictures played faster and slower, so that one of its blinks follows each cue by half a second. A
        blink itself is as fast as it was."""
        shown, at = [], 0

        def play(first, last, until):
            count = max(until - len(shown), 0)
            shown.extend(first + i * (last - first) // count for i in range(count))

        for cue, (first, last) in zip(cues_ms, self.blinks):
            first, last = first - 4, last + 4
            play(at, first, (cue + 500) * FPS // 1000 - 2)
            shown.extend(range(first, last + 1, 2))
            at = last + 1
        play(at, self.blinks[len(cues_ms)][0] - 4, seconds * FPS - 1)
        return [self.pictures[number] for number in shown]


def pictures(data):
    """The pictures of an AVI: the chunks `00dc` in its list `movi`."""
    at = data.index(b"movi") + 4
    while at + 8 <= len(data):
        kind, size = struct.unpack("<4sI", data[at : at + 8])
        if kind == b"LIST":
            at += 12
            continue
        if kind == b"00dc" and size:
            yield data[at + 8 : at + 8 + size]
        elif kind == b"idx1":
            return
        at += 8 + size + size % 2


def form(fields):
    """(body, type) of a form; values are text or bytes."""
    body = b""
    for name, value in fields:
        value = value if isinstance(value, bytes) else value.encode()
        body += f'--waw\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
    return body + b"--waw--\r\n", "multipart/form-data; boundary=waw"


class Desk(threading.Thread):
    """Somebody at the desk, who asks again until there is an answer."""

    def __init__(self, name, address, seed, answered):
        super().__init__(name=name, daemon=True)
        self.random, self.ending = random.Random(f"{seed} {name}"), threading.Event()
        self.manager = Account(Api(address, answered), f"{name}@example.org")
        self.marks, self.done, self.wrong = {}, collections.Counter(), []
        self.people = 0

    def run(self):
        try:
            while not self.ending.is_set():
                self.turn()
        except Exception as e:
            self.wrong.append(f"{self.name}: {e!r}")

    def until_answered(self, ask, wanted, what, within_s=180):
        """Asks until there is an answer that no outage explains. Returns the answer and how often there was none before."""
        end, unanswered = time.monotonic() + within_s, 0
        while True:
            status, answer = ask()
            if status in wanted:
                return answer, unanswered
            if status == 409 and unanswered:
                # It was done, and its answer was lost.
                return {}, unanswered
            if status not in (*OUTAGE, 429):
                raise Failed(f"{what}: {status} {answer}")
            if time.monotonic() > end:
                raise Failed(f"{what}: still {status} {answer} after {within_s} s")
            unanswered += status != 429
            time.sleep(AGAIN_AFTER_S * (0.5 + self.random.random()) if status != 429 else 5)

    def marked(self, answer, id, by):
        self.marks[(id, answer["date"])] = by
        self.done[f"marked by {by}"] += 1


class PinDesk(Desk):
    """People without a face, one every few seconds."""

    def __init__(self, address, seed, answered):
        super().__init__("desk-pin", address, seed, answered)
        self.kiosk = Account(Api(address, answered), "kiosk@example.org")

    def turn(self):
        self.people += 1
        id, pin = f"pin-{self.people}", f"{self.random.randrange(10**8):08d}4071"
        add = {"name": f"Pin {self.people}", "id": id}
        self.until_answered(lambda: self.manager.ask("POST", "/api/attendance/people", add), [201], f"adding {id}")
        path = f"/api/attendance/people/{id}/pin"
        self.until_answered(lambda: self.manager.ask("PUT", path, {"pin": pin}), [204], f"the PIN of {id}")
        if self.random.random() < 0.2:
            self.by_manager(id)
        else:
            self.by_pin(id, pin)
        if self.random.random() < 0.3:
            self.look()
        self.ending.wait(1 + 3 * self.random.random())

    def by_pin(self, id, pin):
        if self.random.random() < 0.2:
            wrong = {"id": id, "pin": pin[::-1]}
            self.until_answered(lambda: self.kiosk.ask("POST", "/api/attendance/mark-pin", wrong), [403], f"a wrong PIN of {id}")
        right, unanswered = {"id": id, "pin": pin}, 0
        for n in range(2):
            ask = lambda: self.kiosk.ask("POST", "/api/attendance/mark-pin", right)
            answer, lost = self.until_answered(ask, [200], f"marking {id}")
            unanswered += lost
            first = n == 0 and not unanswered
            wanted = ["present", "late"] if first else ["already_marked"] if n else ["present", "late", "already_marked"]
            if answer["status"] not in wanted and (n == 0 or (id, answer["date"]) in self.marks):
                self.wrong.append(f"{id} is {answer['status']}, and not {wanted}")
            self.marked(answer, id, "PIN")

    def by_manager(self, id):
        body = {"id": id, "reason": "forgot the PIN"}
        answer, _ = self.until_answered(lambda: self.manager.ask("POST", "/api/attendance/records", body), [201], f"recording {id}")
        if answer:
            self.marked(answer, id, "manager")

    def look(self):
        paths = ["people?limit=20", "get-attendance?limit=20", "get-analytics"]
        path = f"/api/attendance/{self.random.choice(paths)}"
        self.until_answered(lambda: self.manager.ask("GET", path), [200], path)
        self.done["lists"] += 1


class FaceDesk(Desk):
    """One face, under another id each time."""

    def __init__(self, address, seed, answered, clip):
        super().__init__("desk-face", address, seed, answered)
        self.clip = clip
        self.refused = collections.Counter()

    def post(self, path, fields):
        body, kind = form(fields)
        return lambda: self.manager.send("POST", f"/api/attendance/{path}", body, kind)

    def turn(self):
        self.people += 1
        id = f"face-{self.people}"
        consents = lambda: self.manager.ask("GET", "/api/consents")
        version = self.until_answered(consents, [200], "the text of the consent")[0]["biometric"]["version"]
        picture = self.clip.pictures[3]
        enrolment = [("name", f"Face {self.people}"), ("id", id), ("consent", "true"), ("consent_version", version), ("image", picture)]
        self.until_answered(self.post("register-user", enrolment), [201], f"enrolling {id}")
        self.done["enrolled"] += 1
        still, _ = self.until_answered(self.post("mark-attendance", [("image", picture)]), [200], f"a picture of {id}")
        self.done["pictures shown"] += 1
        if still["status"] != "liveness_failed" or still["id"] != id:
            self.wrong.append(f"a picture of {id} is {still}")
        self.recording(id)
        forget = lambda: self.manager.ask("DELETE", f"/api/attendance/people/{id}/biometrics")
        self.until_answered(forget, [200], f"forgetting the face of {id}")

    def recording(self, id):
        """Answers a challenge. A try may fail, as people's do, and more so where its challenge ran out in an outage."""
        if self.ending.is_set():
            return
        asked = self.manager.ask
        challenge, _ = self.until_answered(lambda: asked("POST", "/api/attendance/challenge"), [200], "a challenge")
        began = time.monotonic()
        shown = self.clip.answer(challenge["cues_ms"], challenge["seconds"])
        times = json.dumps([n * 1000 // FPS for n in range(len(shown))])
        fields = [("frames[]", picture) for picture in shown]
        fields += [("timestamps_ms", times), ("challenge_id", challenge["challenge_id"])]
        # A recording cannot be longer than the time since its challenge.
        time.sleep(max(0.0, challenge["seconds"] + 0.5 - (time.monotonic() - began)))
        answer, unanswered = self.until_answered(self.post("mark-attendance", fields), [200], f"marking {id}")
        if answer["reason"] == "challenge_used" and unanswered:
            # It was decided, and its answer was lost: whether for or against shows in the list.
            path = f"/api/attendance/get-attendance?user={id}"
            listed, _ = self.until_answered(lambda: asked("GET", path), [200], path)
            answer = {"status": "already_marked", **listed["items"][0]} if listed["items"] else answer
        if answer["status"] in ("present", "late", "already_marked"):
            self.marked(answer, id, "face")
        else:
            self.refused[answer["reason"]] += 1
