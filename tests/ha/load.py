"""People through HAProxy and past it, and when their uploads come back."""
import time

from client import LONGEST_ANSWER_S
from people import Person
from processes import Failed


class Load:
    """People through HAProxy, and one at each replica itself, who shows when that replica writes."""

    def __init__(self, web, apis, people):
        self.people = [Person(web, f"ada{n}") for n in range(people)]
        self.direct = [Person(api, f"eve{n}", singles=True, pause_s=0.1) for n, api in enumerate(apis)]
        self.all = self.people + self.direct

    def start(self):
        for person in self.all:
            person.account.register()
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
