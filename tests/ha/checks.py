"""What must hold in the end: each acknowledged minute once, sums that fit, limits and sign-outs on every replica."""
from client import PASSWORD, Api, insist
from people import stored
from processes import until

WRONG_SIGN_INS = 20  # of one account, in a quarter of an hour (docs/api.md)


def stored_on_all(cluster, load):
    """Compares what was acknowledged with the database and with what people are shown. Returns the faults."""
    leader = cluster.leader()
    found = stored(leader.sql, load.all)
    count = "SELECT count(*), sum(hashtextextended(user_id::text || device_id || from_timestamp || blink_count, 0)) FROM blink_data"
    wanted = leader.sql(count)
    for node in cluster.nodes:
        if node is not leader:
            until(f"{node.name} has what the leader has", lambda: node.sql(count) == wanted, 60)
    print(
        f"acknowledged minutes: {found['acknowledged']}; lost {found['lost']}, doubled {found['doubled']}, stored but never "
        f"acknowledged {found['never acknowledged']}, wrong sums {found['wrong sums']}, people who are shown another figure "
        f"{found['shown wrong']}; the same on all three hosts"
    )
    wrong = ["lost", "doubled", "never acknowledged", "wrong sums", "shown wrong"]
    return [f"{what}: {found[what]}" for what in wrong if found[what]]


class Limits:
    """Wrong sign-ins are counted for all replicas, a failover in between or not; a sign-out counts everywhere at once."""

    def __init__(self, cluster):
        self.one, self.other = (Api(address) for address in cluster.apis)
        self.email, self.lines, self.faults = "mallory@example.org", [], []
        body = {"email": self.email, "password": PASSWORD, "timezone": "UTC", "consent": {"tracking": True, "version": "1"}}
        answer = insist(lambda: self.one.ask("POST", "/api/auth/register", body), [201])
        self.access, self.refresh = answer["access_token"], answer["refresh_token"]

    def sign_in(self, api, password):
        return api.ask("POST", "/api/auth/login", {"email": self.email, "password": password})

    def first_half(self):
        for _ in range(WRONG_SIGN_INS // 2):
            insist(lambda: self.sign_in(self.one, "wrong horse battery"), [401])

    def second_half(self):
        for _ in range(WRONG_SIGN_INS // 2):
            insist(lambda: self.sign_in(self.other, "wrong horse battery"), [401])
        answers = [self.sign_in(api, PASSWORD)[0] for api in (self.one, self.other)]
        self.lines.append(
            f"sign-in: {WRONG_SIGN_INS // 2} wrong ones at one replica, a failover, {WRONG_SIGN_INS // 2} at the other; "
            f"then the right password is {answers[0]} at the one and {answers[1]} at the other"
        )
        if answers != [429, 429]:
            self.faults.append(f"the limit of sign-ins does not hold across replicas: {answers}")

    def sign_out(self):
        refreshed = insist(lambda: self.one.ask("POST", "/api/auth/refresh", {"refresh_token": self.refresh}), [200])
        access, refresh = refreshed["access_token"], refreshed["refresh_token"]
        insist(lambda: self.other.ask("GET", "/api/user/me", token=access), [200])
        insist(lambda: self.one.ask("POST", "/api/auth/logout", token=access), [204])
        answers = [
            self.other.ask("GET", "/api/user/me", token=access)[0],
            self.other.ask("POST", "/api/auth/refresh", {"refresh_token": refresh})[0],
        ]
        self.lines.append(
            f"sign-out at one replica: at the other the access token is then {answers[0]}, the refresh token {answers[1]}"
        )
        if answers != [401, 401]:
            self.faults.append(f"a sign-out does not hold across replicas: {answers}")
