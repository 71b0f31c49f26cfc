"""What must hold in the end. Each part returns the lines of its table and the promises that do not hold."""
import collections, csv, io

from client import Account, Api, insist
from people import stored
from processes import Failed, until
from schedule import most_in
from server import GATHER_S


def line(what, **figures):
    return f"{what:<22}" + "".join(f"{name} {value}, ".replace("_", " ") for name, value in figures.items())[:-2]


def blinks(daemons, database, server):
    """Each announced blink that a kill did not take in its last second is on the server, and no blink is there twice."""
    lines, faults = [], []
    for daemon in daemons:
        listing = (
            "SELECT extract(epoch FROM from_timestamp)::bigint / 60, blink_count, device_id FROM blink_data "
            f"WHERE user_id = '{daemon.id}' ORDER BY 1"
        )
        rows = [row.split("|") for row in database.sql(listing).splitlines()]
        found = {int(minute): int(count) for minute, count, _ in rows}
        lost = doubled = strict = 0
        for minute, expected in daemon.expected.items():
            lost += max(expected - found.get(minute, 0), 0)
        for minute, count in found.items():
            # A blink that was counted and then killed before it was told, once at each kill.
            untold = sum(int(at // 60) in (minute, minute + 1) for at in daemon.kills)
            most = daemon.heard[minute] + untold
            if not daemon.clock.disturbed(minute):
                most, strict = min(most, most_in(daemon.bpm, daemon.seed, minute)), strict + 1
            doubled += max(count - most, 0)
        account = Account(Api(server.address), daemon.email)
        account.sign_in()
        items = insist(lambda: account.ask("GET", "/api/user/me/blinks?group=minute&limit=1000"), [200])["items"]
        shown = sum(item["blink_count"] for item in items)
        total, devices = sum(found.values()), len({device for _, _, device in rows})
        lines.append(line(
            f"blinks of {daemon.name}", announced=daemon.announced, expected=sum(daemon.expected.values()), found=total,
            lost=lost, doubled=doubled, minutes=len(rows), of_them_held_against_the_schedule=strict,
        ))
        wrong = {
            "lost": lost, "doubled": doubled, "minutes twice": len(rows) - len(found), "other devices": devices - 1,
            "not shown to the person": abs(shown - total),
        }
        faults += [f"blinks of {daemon.name}: {what}: {number}" for what, number in wrong.items() if number]
        if sum(daemon.expected.values()) < 30:
            faults.append(f"{daemon.name} announced hardly any blinks: {daemon.announced}")
    return lines, faults


def minutes(people, database):
    found = stored(database.sql, people)
    twice = int(database.sql(
        "SELECT count(*) FROM (SELECT FROM blink_data GROUP BY user_id, device_id, from_timestamp HAVING count(*) > 1) AS twice"
    ))
    names = ["acknowledged", "found", "lost", "doubled", "never acknowledged", "wrong sums", "shown wrong"]
    lines = [line("single minutes", **{name.replace(" ", "_"): found[name] for name in names}, keys_twice=twice)]
    wrong = {**{name: found[name] for name in names[2:]}, "keys twice": twice}
    faults = [f"single minutes: {what}: {number}" for what, number in wrong.items() if number]
    return lines, faults + [f"of {person.name} these are lost: {person.lost[:10]}" for person in people if person.lost]


def marks(desks, database, server):
    """Each acknowledged mark is there, and nobody has two on a day, in the database or in the day's file."""
    rows = [row.split("|") for row in database.sql("SELECT person, day, count(*) FROM attendance_records GROUP BY 1, 2").splitlines()]
    found = {(person, day): int(count) for person, day, count in rows}
    acknowledged = {mark: by for desk in desks for mark, by in desk.marks.items()}
    lost = [mark for mark in acknowledged if mark not in found]
    doubled = sum(count - 1 for count in found.values())
    unknown = [mark for mark in found if mark not in acknowledged]
    until("the desk's files are written", lambda: in_files(server) == collections.Counter(found.keys()), 90, 1)
    ways = collections.Counter(acknowledged.values())
    done = sum((desk.done for desk in desks), collections.Counter())
    lines = [
        line("desk marks", acknowledged=len(acknowledged), found=len(found), lost=len(lost), doubled=doubled,
             never_acknowledged=len(unknown)) + ", the day's file has the same",
        line("    of them", **{f"by_{way}": ways[way] for way in ("PIN", "face", "manager")}),
        line("    besides", faces_enrolled=done["enrolled"], pictures_shown=done["pictures shown"], lists=done["lists"],
             genuine_recordings_refused=dict(sum((getattr(desk, "refused", collections.Counter()) for desk in desks), collections.Counter()))),
    ]
    wrong = {"lost": lost, "doubled": doubled, "never acknowledged": unknown}
    faults = [f"desk marks: {what}: {which}" for what, which in wrong.items() if which]
    if not ways["face"]:
        faults.append("nobody was marked by face")
    return lines, faults


def in_files(server):
    """How often each person is in each day's file."""
    found = collections.Counter()
    for file in (server.home / "exports").glob("attendance_*.csv"):
        for row in csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))):
            found[(row["ID"], row["Date"])] += 1
    return found


def archive(database, server):
    """Each minute is in the archive once."""
    def count(query):
        return int(database.sql(query) or 0)

    until("the archive's queue is empty", lambda: count("SELECT count(*) FROM archive_queue") == 0, 90 + GATHER_S, 1)
    stored = count("SELECT count(*) FROM blink_data")
    archived = count("SELECT sum(records) FROM archive_objects WHERE bucket = 'data' AND written")
    objects = count("SELECT count(*) FROM archive_objects WHERE bucket = 'data'")
    try:
        server.command("archive", "check")
        checked = "sound"
    except Failed as e:
        checked = str(e)
    lines = [line("archive", minutes_stored=stored, minutes_archived=archived, objects=objects, check=checked)]
    faults = [] if stored == archived else [f"the archive has {archived} minutes, the database {stored}"]
    return lines, faults + ([f"the archive: {checked}"] if checked != "sound" else [])


def panics(rig):
    """Lines of logs that tell of a panic."""
    logs = list((rig.folder.path / "logs").iterdir())
    for daemon in rig.daemons:
        logs += daemon.space.inside(daemon.space.path / "state/blinkd").iterdir()
    texts = {log.name: log.read_text(errors="replace") for log in logs}
    return [f"{name}: {row[:300]}" for name, text in texts.items() for row in text.splitlines() if "panicked" in row]
