"""The stop-rule machine once more: one series, one day after the other, written from the words of domain.md 3.1 and 3.2.

Slow and plain on purpose; shares no code with `kpis.engine`. Figures are Fractions or None.
"""

from fractions import Fraction


class Scalar:
    """`rule` is a dict; `days` a list of (numerator, denominator), the last one today; `marks` {day: [(kind, until, extra)]}."""

    def __init__(self, rule, days, marks=None, start=0):
        self.rule, self.days, self.marks, self.start = rule, days, marks or {}, start
        self.state, self.streak, self.clean, self.missing = "ok", [], 0, 0
        self.incident_reported = False
        self.idle = self.grace = 0
        self.spent = Fraction(0)
        self.evaluable = []
        self.mute_until, self.extra = None, None
        self.episode_open = False
        self.events, self.classes, self.states, self.streaks = [], [], [], []

    # ------------------------------------------------------------- class of a day
    def beyond(self, numerator, denominator):
        line = self.rule["line"]
        return numerator > line * denominator if self.rule["above"] else numerator < line * denominator

    def compared(self, numerator, denominator, too_young=False):
        rule = self.rule
        if numerator == 0 and denominator == 0:
            return "inactive"
        if too_young:
            return "thin"
        reached_zero_line = rule["zero_line"] is not None and numerator >= rule["zero_line"]
        if denominator < rule["minimum_sample"] and not reached_zero_line:
            return "thin"
        if self.beyond(numerator, denominator):
            return "breach"
        gap = (1 - rule["clear_ratio"]) * abs(rule["line"])
        if rule["above"]:
            return "grey" if numerator > (rule["line"] - gap) * denominator else "ok"
        return "grey" if numerator < (rule["line"] + gap) * denominator else "ok"

    def known(self, day):
        return None not in self.days[day]

    def pooled_over(self, day, size):
        inside = [d for d in range(day - size + 1, day + 1) if d >= self.start]
        known = [d for d in inside if self.known(d)]
        return (
            sum((self.days[d][0] for d in known), Fraction(0)),
            sum((self.days[d][1] for d in known), Fraction(0)),
            len(inside) - len(known),
            len(known),
        )

    def class_of(self, day):
        rule = self.rule
        if rule["window"] == "event" and day > self.start:
            return "outside"
        if day > len(self.days) - 1 - rule["settling_days"]:
            return "not_ready"
        if rule["window"] == "pooled":
            numerator, denominator, missing, known = self.pooled_over(day, rule["n"])
            if missing > self.limit() or known == 0:
                return "missing"
            return self.compared(numerator, denominator, too_young=day - self.start + 1 < rule["n"])
        if rule["window"] == "budget":
            return self.against_budget(day)
        numerator, denominator = self.days[day]
        if numerator is None or denominator is None:
            return "missing"
        if rule["window"] == "since_conversion":
            if numerator == 0 and denominator == 0:
                return "inactive"
            return "ok" if denominator != 0 else "drip"
        return self.compared(numerator, denominator)

    def against_budget(self, day):
        """Days are (spend, gross profit); the rule carries `budget`, `stop_loss`, and on which days a period begins."""
        rule = self.rule
        if self.days[day][0] is None:
            return "missing"
        if self.days[day][0] == 0:
            return "inactive"
        spent = lost = Fraction(0)
        for spend, profit in self.days[max(first for first in rule["periods"] if first <= day) : day + 1]:
            if spend is not None:
                spent += spend
                lost += spend - profit if profit is not None else 0
        budget, stop_loss = rule["budget"], rule["stop_loss"]
        if (budget is not None and spent > rule["line"] * budget) or (stop_loss is not None and lost > stop_loss):
            return "breach"
        clear = rule["line"] - (1 - rule["clear_ratio"]) * rule["line"]
        return "grey" if budget is not None and spent > clear * budget else "ok"

    def limit(self):
        return 0 if self.rule["no_data"] == "no_data" else 2

    # ------------------------------------------------------------- the machine
    def run(self):
        for day in range(len(self.days)):
            for mark in self.marks.get(day, []):
                self.sign(day, *mark)
            if day < self.start:
                self.classes.append("outside")
                self.states.append("none")
                self.streaks.append(0)
                continue
            self.classes.append(self.one_day(day))
            self.states.append(self.state)
            self.streaks.append(len(self.streak))
        return self

    def muted(self, day):
        return self.mute_until is not None and day <= self.mute_until

    def quiet_state(self, day):
        return "muted" if self.muted(day) else "ok"

    def one_day(self, day):
        rule = self.rule
        name = self.class_of(day)
        if name == "missing" and rule["no_data"] in ("breach", "ok"):
            name = rule["no_data"]
        if name in ("not_ready", "outside"):
            return name
        if self.state == "stopped":
            return "thin" if name == "drip" else name
        if self.extra is not None and self.days[day][0] is not None and self.days[day][1] is not None:
            self.extra -= self.days[day][0]
            if self.extra <= 0:
                self.mute_until = self.extra = None
        if self.state == "muted" and not self.muted(day):
            self.state = "pending" if self.streak else "ok"

        if name == "missing":
            self.missing += 1
            self.idle = 0
            if self.missing > self.limit() and self.state != "firing":
                self.state, self.streak = "no_data", []
                if not self.incident_reported:
                    self.incident_reported = True
                    self.events.append((day, "data_incident"))
            return name
        self.missing, self.incident_reported = 0, False
        if self.state == "no_data":
            self.state = "recovering" if self.grace else self.quiet_state(day)

        if rule["window"] == "since_conversion":
            name = self.drip(day, name)
        evaluable = name in ("breach", "grey", "ok") or (rule["window"] == "since_conversion" and name == "thin")
        if self.grace and evaluable:
            self.grace -= 1
            self.streak = []
            self.state = "recovering" if self.grace else "ok"
        elif name == "breach":
            self.breach(day)
        elif name in ("ok", "grey"):
            self.calm(day, name)
        self.idle = self.idle + 1 if name == "inactive" else 0
        if self.idle >= 7 and self.episode_open:
            self.end(day, "paused")
        return name

    def drip(self, day, name):
        numerator, denominator = self.days[day]
        if name == "ok" and numerator is not None and denominator is not None:
            self.spent = Fraction(0)
        if name == "drip":
            self.spent += numerator
        if self.grace:
            self.spent = Fraction(0)
        if name == "drip":
            return "breach" if self.spent >= self.rule["k"] * self.rule["line"] else "thin"
        return name

    def breach(self, day):
        self.clean = 0
        self.evaluable.append(day)
        self.streak.append(day)
        self.trim(day)
        if self.state == "firing":
            return
        needed = {"in_a_row": self.rule["n"], "m_of_n": self.rule["m"]}.get(self.rule["window"], 1)
        enough = len(self.streak) >= needed
        if enough and self.rule["confirm_pooled_7d"]:
            numerator, denominator, _missing, _known = self.pooled_over(day, 7)
            enough = self.beyond(numerator, denominator)
        if enough and not self.muted(day):
            self.state, self.episode_open = "firing", True
            self.events.append((day, "opened"))
        elif self.muted(day):
            self.state = "muted"
            self.episode_open = self.episode_open or enough
        else:
            self.state = "pending"

    def trim(self, day):
        span = self.rule["max_span"] or 2 * self.rule["n"] + 1
        self.streak = [d for d in self.streak if day - d < span]
        if self.rule["window"] == "m_of_n":
            self.streak = [d for d in self.streak if d in self.evaluable[-self.rule["n"] :]]

    def calm(self, day, name):
        self.evaluable.append(day)
        if self.state != "firing":
            if self.rule["window"] == "m_of_n":
                self.trim(day)
            else:
                self.streak = []
            self.state = self.quiet_state(day)
        if self.episode_open:
            self.clean = self.clean + 1 if name == "ok" else 0
            clear_days = 1 if self.rule["window"] == "since_conversion" else self.rule["clear_days"]
            if self.clean >= clear_days:
                self.end(day, "recovered")

    def end(self, day, kind):
        self.state = self.quiet_state(day)
        self.streak, self.clean, self.episode_open = [], 0, False
        self.events.append((day, kind))

    def sign(self, day, kind, until=None, extra=None):
        self.streak, self.clean, self.grace = [], 0, 0
        self.mute_until = self.extra = None
        if kind in ("continue", "false_alarm"):
            self.state = "muted"
            self.mute_until = day + 2 if kind == "false_alarm" else (10**6 if until is None else until)
            self.extra = extra
            if self.episode_open:
                self.events.append((day, "signed"))
            return
        if self.episode_open:
            self.episode_open = False
            self.events.append((day, "signed"))
        self.state = "stopped" if kind in ("stop", "rewrite") else "recovering"
        self.grace = 3 if kind in ("cut", "resume") else 0
        if self.grace and self.rule["window"] == "event":
            self.state, self.grace = "ok", 0
        self.idle = self.missing = 0
        self.incident_reported = False
