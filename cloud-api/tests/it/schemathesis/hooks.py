"""Gives schemathesis what a description cannot: somebody to be, and things that exist.

Requests that a person could send are completed with a real password, code, team or minute, so that they reach the code
behind the refusals. Requests that are meant to be wrong stay as they were made.
"""

import datetime
import json
import os
import uuid

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

BASE = os.environ["WAW_BASE"]
PASSWORD = os.environ["WAW_PASSWORD"]
DEVICE = str(uuid.uuid4())
GRANT = "urn:ietf:params:oauth:grant-type:device_code"

# What these words mean in a description, and tools do not know.
schemathesis.openapi.format(
    "time-zone", st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"])
)

# These end what they are sent with: each is sent by somebody of its own.
OWN_ACCOUNT = {
    "DELETE /api/user/me",
    "PATCH /api/user/me",
    "PUT /api/user/me/consents",
    "DELETE /api/user/me/sessions/{id}",
    "POST /api/auth/logout",
    "POST /auth/logout",
    "POST /api/auth/refresh",
}


def send(method, path, token=None, body=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.request(method, BASE + path, json=body, headers=headers, timeout=60)


class Person:
    """Somebody with a session, renewed when it was ended."""

    def __init__(self, email=None):
        self.email = email
        self.session = None

    def token(self):
        if not self.session or send("GET", "/api/user/me", self.session["access_token"]).status_code != 200:
            self.sign_in()
            # An account that the operator made has not consented yet.
            granted = {"kind": "tracking", "granted": True, "version": "1"}
            send("PUT", "/api/user/me/consents", self.session["access_token"], granted)
        return self.session["access_token"]

    def sign_in(self):
        if self.email:
            body = {"email": self.email, "password": PASSWORD}
            self.session = send("POST", "/api/auth/login", body=body).json()
            return
        consent = {"tracking": True, "version": "1"}
        body = {"email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD, "consent": consent}
        self.session = send("POST", "/api/auth/register", body=body).json()


ADMIN = Person(os.environ["WAW_ADMIN"])
OTHERS = {label: Person() for label in OWN_ACCOUNT}
MEMBER = Person()
TEAM = {}


def team():
    if not TEAM:
        TEAM.update(send("POST", "/api/team", ADMIN.token(), {"name": "Everybody"}).json())
    return TEAM["id"]


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    def get(self, case, context):
        return OTHERS.get(case.operation.label, ADMIN).token()

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


def minute(body):
    """A minute of today, whatever time was made up; one that was not observed has no blinks, and its quality fits."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    start = now - datetime.timedelta(minutes=2 + uuid.uuid4().int % 1000)
    said = lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")
    body["from_timestamp"], body["to_timestamp"] = said(start), said(start + datetime.timedelta(minutes=1))
    body["user_id"] = None
    if body["observed_ms"] == 0:
        body["blink_count"] = 0
    body["quality"] = "good" if body["observed_ms"] >= 10_000 else "insufficient"


def code(approved):
    made = send("POST", "/api/auth/device", body={}).json()
    if approved:
        body = {"user_code": made["user_code"], "approve": True}
        send("POST", "/api/auth/device/approve", ADMIN.token(), body)
    return made


def picture():
    """A picture for the script that reads faces in these tests: of nobody who was enrolled before.

    The tests seed `random`, and would draw the same face again.
    """
    return b"\xff\xd8\xff\xe0" + json.dumps({"face": uuid.uuid4().int % 10**6}).encode()


def desk_person(token=None):
    """Somebody at the attendance desk; with a token, the person of that account."""
    body = {"name": f"P {uuid.uuid4().hex}"}
    if token:
        body["email"] = send("GET", "/api/user/me", token).json()["email"]
    return send("POST", "/api/attendance/people", ADMIN.token(), body).json()["id"]


def enrolled():
    form = {"name": f"P {uuid.uuid4().hex}", "consent": "true", "consent_version": "1"}
    headers = {"Authorization": f"Bearer {ADMIN.token()}"}
    url = f"{BASE}/api/attendance/register-user"
    return requests.post(url, data=form, files={"image": picture()}, headers=headers, timeout=60).json()


def be_at_the_desk():
    """The person that the account of these requests is."""
    if send("GET", "/api/attendance/me", ADMIN.token()).status_code != 200:
        desk_person(ADMIN.token())


def record():
    body = {"id": desk_person(), "reason": "seen"}
    return send("POST", "/api/attendance/records", ADMIN.token(), body).json()["record_id"]


# A schema cannot say that a day is one of the calendar's, and not before another.
READ_BY_DAYS = {
    "/api/attendance/get-attendance",
    "/api/attendance/get-analytics",
    "/get-attendance",
    "/get-analytics",
}


def complete_of_desk(label, case, kwargs):
    body = case.body if isinstance(case.body, dict) else None
    path = case.path_parameters
    if label in ("POST /api/attendance/register-user", "POST /register-user"):
        # In the place of the made-up form, which stays what the checks compare with the description.
        kwargs["data"] = {"name": f"P {uuid.uuid4().hex}", "consent": "true", "consent_version": "1"}
        kwargs["files"] = {"image": picture()}
    elif label in ("POST /api/attendance/mark-attendance", "POST /mark-attendance"):
        kwargs["data"], kwargs["files"] = {}, {"image": picture()}
    elif label == "POST /api/attendance/mark-pin":
        be_at_the_desk()
        case.body = {"qr": send("GET", "/api/attendance/code", ADMIN.token()).json()["code"]}
    elif label in ("GET /api/attendance/me", "GET /api/attendance/code"):
        be_at_the_desk()
    elif label == "PUT /api/attendance/pin":
        be_at_the_desk()
        case.body = {"pin": "482917"}
    elif label == "PUT /api/attendance/people/{id}/pin":
        path["id"] = desk_person()
        case.body = {"pin": "482917"}
    elif label.removeprefix("GET ") in READ_BY_DAYS:
        for name in ("date_from", "date_to", "user", "cursor"):
            case.query.pop(name, None)
    elif label == "GET /api/attendance/people":
        case.query.pop("cursor", None)
    elif label == "POST /api/attendance/people":
        case.body = {"name": f"P {uuid.uuid4().hex}"}
    elif label == "GET /api/attendance/people/{id}/photo":
        person = enrolled()
        path["id"] = person["id"]
        case.query["sig"] = person["image_path"].split("sig=")[1]
    elif label in ("DELETE /api/attendance/people/{id}", "DELETE /api/attendance/people/{id}/biometrics"):
        path["id"] = desk_person()
    elif label == "POST /api/attendance/records":
        case.body = {"id": desk_person(), "reason": "seen"}
    elif label == "PATCH /api/attendance/records/{id}":
        path["id"] = record()
        case.body = {"status": "late", "reason": "misread"}


def times(case):
    """A schema cannot say that the one time is not before the other, nor what a cursor is."""
    case.query.pop("cursor", None)
    if "from" in case.query and "to" in case.query:
        case.query["to"] = case.query["from"]


def complete(label, case):
    body = case.body if isinstance(case.body, dict) else None
    path = case.path_parameters
    if label in ("POST /api/auth/login", "POST /auth/login") and body:
        body.update(email=os.environ["WAW_ADMIN"], password=PASSWORD)
    elif label in ("POST /api/auth/register", "POST /auth/register") and body:
        # A schema cannot say that an address is nobody's yet, and a password not one of the common ones.
        body.update(email=f"{uuid.uuid4().hex}@example.org", password=PASSWORD)
        if body.get("consent"):
            body["consent"]["version"] = "1"
    elif label == "POST /api/auth/refresh":
        person = OTHERS[label]
        person.token()
        if body:
            case.headers.pop("X-WAW-Client", None)
            body["refresh_token"] = person.session["refresh_token"]
        else:
            # Without a body it is a page, whose token is a cookie.
            case.headers["X-WAW-Client"] = "web"
            case.cookies["waw_refresh"] = person.session["refresh_token"]
        person.session = None
    elif label == "PATCH /api/user/me" and body and (body.get("email") or body.get("password")):
        body["current_password"] = PASSWORD
        # Who changes it back is spared a new account each time.
        body.pop("password", None)
    elif label == "DELETE /api/user/me" and body and body.get("password") is not None:
        body["password"] = PASSWORD
    elif label == "PUT /api/user/me/consents" and body and body["granted"]:
        body["version"] = "1"
    elif label == "DELETE /api/user/me/sessions/{id}":
        path["id"] = send("GET", "/api/user/me/sessions", OTHERS[label].token()).json()["items"][0]["id"]
    elif label == "DELETE /api/user/me/devices/{id}":
        device = str(uuid.uuid4())
        bucket = {"id": device, "blink_count": 0, "observed_ms": 0, "mean_fps": 30, "quality": "insufficient"}
        minute(bucket)
        send("POST", "/api/blink/sync", ADMIN.token(), {"device_id": device, "buckets": [bucket]})
        path["id"] = device
    elif label.endswith(" /api/user/{id}/blinks"):
        path["id"] = "me"
        times(case)
    elif label.startswith("GET /api/user/me/minutes"):
        times(case)
    elif label == "GET /api/admin/users":
        case.query.pop("cursor", None)
    elif label == "PATCH /api/admin/users/{id}":
        path["id"] = MEMBER.token() and MEMBER.session["user"]["id"]
    elif label.startswith(("GET /api/team/", "PUT /api/team/", "DELETE /api/team/")):
        path["id"] = team()
        if "user_id" in path:
            MEMBER.token()
            path["user_id"] = MEMBER.session["user"]["email" if label.startswith("PUT") else "id"]
            if label.startswith("DELETE"):
                send("PUT", f"/api/team/{team()}/members/{MEMBER.session['user']['email']}", ADMIN.token(), {})
    elif label == "GET /api/erasures/{id}":
        path["id"] = send("DELETE", "/api/user/me", Person().token()).json()["receipt_id"]
    elif label in ("POST /api/blink", "POST /blink/track", "POST /blink/tracking") and body:
        minute(body)
    elif label == "POST /api/auth/device/approve" and body:
        body["user_code"] = code(approved=False)["user_code"]
    elif label == "POST /api/auth/device/token" and body:
        body["device_code"] = code(approved=True)["device_code"]


# A form has no null and a text no type: what is made up as wrong there may arrive as an absent field or another text,
# and be right, so it is sent by nobody. The tests of attendance/hostile.rs send what is wrong.
FORMS = {
    "POST /api/attendance/register-user",
    "POST /register-user",
    "POST /api/attendance/mark-attendance",
    "POST /mark-attendance",
    "POST /api/attendance/import",
}


@schemathesis.hook
def before_call(context, case, kwargs):
    positive = case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE
    if case.operation.label in FORMS and case.meta is not None:
        parts = case.meta.components.values()
        positive = positive and all(part.mode == GenerationMode.POSITIVE for part in parts)
        if not positive:
            case.headers["Authorization"] = "Bearer none"
    if positive:
        complete(case.operation.label, case)
        complete_of_desk(case.operation.label, case, kwargs)
