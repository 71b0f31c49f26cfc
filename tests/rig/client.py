"""A client of cloud-api, and an account that stays signed in."""
import http.client, itertools, json, time

from processes import Failed

PASSWORD = "correct horse battery"
# blinkd waits 15 s and more after a failure; here everybody is back soon, so that an outage is met with full load.
AGAIN_AFTER_S = 0.5
# Above the 35 s after which the server itself gives up on the database, and above HAProxy's 60 s.
LONGEST_ANSWER_S = 70
# cloud-api keeps a silent connection for 5 s.
SILENT_S = 3


class Api:
    """A client of one address, with an address of its own on loopback: limits count addresses."""

    numbers = itertools.count(1)

    def __init__(self, address, answered=None):
        self.address, number = address, next(self.numbers)
        self.source = f"127.0.{1 + number // 250}.{1 + number % 250}"
        self.connection, self.used = None, 0
        # Called with method, path, status, code, and when the request began.
        self.answered = answered or (lambda *_: None)

    def ask(self, method, path, body=None, token=None):
        """(status, JSON); the status is 0, and the JSON the reason, where there was no answer."""
        return self.send(method, path, json.dumps(body) if body is not None else None, "application/json", token)

    def send(self, method, path, body, kind, token=None):
        """The same with a body of another kind."""
        began = time.monotonic()
        status, answer = self.exchange(method, path, body, kind, token)
        error = answer.get("error") if isinstance(answer, dict) else None
        self.answered(method, path, status, error["code"] if isinstance(error, dict) else "", began)
        return status, answer

    def exchange(self, method, path, body, kind, token):
        if time.monotonic() > self.used + SILENT_S:
            self.close()
        if self.connection is None:
            self.connection = http.client.HTTPConnection(
                self.address, timeout=LONGEST_ANSWER_S, source_address=(self.source, 0)
            )
        headers = {"Content-Type": kind, "User-Agent": "test-rig/1"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            self.connection.request(method, path, body, headers)
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


class Account:
    """Somebody who is signed in at one address, and whose tokens are renewed in time."""

    def __init__(self, api, email):
        self.api, self.email = api, email

    def register(self):
        body = {"email": self.email, "password": PASSWORD, "timezone": "UTC", "consent": {"tracking": True, "version": "1"}}
        self.keep(insist(lambda: self.api.ask("POST", "/api/auth/register", body), [201]))

    def sign_in(self):
        body = {"email": self.email, "password": PASSWORD}
        self.keep(insist(lambda: self.api.ask("POST", "/api/auth/login", body), [200]))

    def keep(self, answer):
        self.id = answer["user"]["id"]
        self.access, self.refresh = answer["access_token"], answer["refresh_token"]
        self.renew_at = time.monotonic() + answer["expires_in"] - 60

    def renew(self):
        body = {"refresh_token": self.refresh}
        self.keep(insist(lambda: self.api.ask("POST", "/api/auth/refresh", body), [200]))

    def ask(self, method, path, body=None):
        return self.signed_in(lambda: self.api.ask(method, path, body, self.access))

    def send(self, method, path, body, kind):
        return self.signed_in(lambda: self.api.send(method, path, body, kind, self.access))

    def signed_in(self, ask):
        if time.monotonic() > self.renew_at:
            self.renew()
        status, answer = ask()
        if status == 401:
            # The server's clock was set meanwhile.
            self.renew()
            status, answer = ask()
        return status, answer
