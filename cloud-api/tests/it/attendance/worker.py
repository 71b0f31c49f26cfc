#!/usr/bin/python3
import json, os, struct, sys, time
# Speaks the protocol as `face-worker` does, and reads the face that a picture names. The tests set the mode.
MODE = "good"

def say(message, body=b""):
    head = json.dumps(message).encode()
    sys.stdout.buffer.write(struct.pack(">II", len(head), len(body)) + head + body)
    sys.stdout.buffer.flush()

if MODE == "no_models":
    say({"type": "unable", "code": "model_missing", "message": "a model is missing: run blinkd models --fetch"})
    sys.exit(1)
if sorted(os.environ) != sorted(name for name in os.environ if name in ("BLINKD_MODELS_DIR", "XDG_DATA_HOME", "HOME", "LC_CTYPE")):
    sys.exit("the environment holds more than it should")
protocol = 99 if MODE == "other_version" else 1
say({"type": "ready", "protocol": protocol, "version": "0", "load_ms": 1, "lockdown": []})
if MODE == "end_at_once":
    sys.exit(1)
while True:
    prefix = sys.stdin.buffer.read(8)
    if len(prefix) < 8:
        break
    head, size = struct.unpack(">II", prefix)
    job = json.loads(sys.stdin.buffer.read(head))
    body = sys.stdin.buffer.read(size)
    if MODE == "hang":
        time.sleep(3600)
    if MODE == "end":
        sys.exit(1)
    if MODE == "nonsense":
        sys.stdout.buffer.write(b"\xff" * 64)
        sys.stdout.buffer.flush()
        continue
    if MODE == "slow":
        time.sleep(0.5)
    face = json.loads(body[body.index(b"{"):].decode())["face"]
    report = {"type": "still", "width": 640, "height": 480, "face_px": 180.0, "lightness": 120.0, "sharpness": 9.0,
              "yaw": 0.0, "encoding": [face] + [0.0] * 127}
    number = job["id"] + 1 if MODE == "other_job" else job["id"]
    say({"type": "answer", "id": number, "took_ms": 1, "outcome": report}, b"\xff\xd8\xffphoto")
