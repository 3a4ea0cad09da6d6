# SPDX-License-Identifier: Apache-2.0
"""Every way to do a job of a small plan problem, from the words of docs/formats/plan.md, and the
programme that chooses one for each job and what the sites do about it. Problems are what json.dump
writes: the same values that carnot reads."""
import itertools
import math

import oracle

MEASURES = ("cost", "late", "dropped", "quality", "carbon", "energy")


class TooMany(Exception):
    pass


class Course:
    """Slots (slot, site, level) of a mode, what it costs, and what it draws, {(site, slot): kW}."""

    def __init__(self, mode, ran, own, load, stoppable, begin):
        self.mode, self.ran, self.own, self.load = mode, tuple(ran), own, load
        self.stoppable, self.begin = stoppable, begin
        self.first, self.last = (ran[0][0], ran[-1][0]) if ran else (None, None)


def sites_of(problem, job):
    """Numbers of the sites where it may run."""
    chosen = []
    for s, site in enumerate(problem["sites"]):
        if job.get("sites") is not None and s not in job["sites"]:
            continue
        if not set(job.get("needs", ())) <= set(site.get("tags", ())):
            continue
        if "memory_gb" in site and job.get("memory_gb", 0) > site["memory_gb"]:
            continue
        chosen.append(s)
    return chosen


def levels_of(mode):
    """[(kW, speed)], level 0 first."""
    return [(mode["power_kw"], 1.0)] + [(at["power_kw"], at["speed"]) for at in mode.get("levels", ())]


def courses_of(problem, job, most=2500):
    """All of them. \\raises TooMany"""
    found = []
    h = problem["slot_s"] / 3600
    allowed, deadline = sites_of(problem, job), job["deadline"]
    network = problem.get("network", {})
    rate, per_gb = network.get("gb_per_s"), network.get("kwh_per_gb", 0.0)
    data, origin = job.get("data_gb", 0.0), job.get("origin")
    carry = math.ceil(data / rate / problem["slot_s"] - 1e-9) if rate and data > 0 else 0
    reading = job.get("restart_slots", 0)
    reserve = problem.get("reserve", {})
    move = job.get("move_cost_eur") or [0.0] * len(problem["sites"])

    def carriage(course_load, a, b, t):
        """Data from a to b, there before slot t; its cost."""
        for k in range(t - carry, t):
            for s in (a, b):
                course_load[s, k] = course_load.get((s, k), 0.0) + data * per_gb / carry / h / 2
        return data * problem["sites"][a].get("egress_eur_per_gb", 0.0)

    def keep(m, mode, ran):
        load, stoppable, own = {}, {}, dict.fromkeys(("quality", "move", "restart", "late", "dropped"), 0.0)
        end = ran[-1][0] + 1
        may_stop = (job.get("preemptible", True) and job.get("stop_s", oracle.INFINITY) <=
                    reserve.get("within_s", oracle.INFINITY) and job.get("stop_s") is not None and
                    end + reserve.get("hold_slots", 1) + reading <= deadline)
        levels = levels_of(mode)
        own["quality"] = mode["quality_cost_eur"]
        own["move"] = move[ran[0][1]]
        if job.get("due") is not None:
            own["late"] = max(0, end - job["due"]) * job["late_eur_per_slot"]
        begin = ran[0][0]
        if data > 0 and origin is not None and ran[0][1] != origin:
            own["move"] += carriage(load, origin, ran[0][1], begin)
            begin -= carry
        for before, now in zip(ran, ran[1:]):
            if now[0] == before[0] + 1 and now[1] == before[1]:
                continue
            own["restart"] += job.get("restart_eur", 0.0)
            if now[1] != before[1]:
                own["move"] += job.get("each_move_eur", 0.0)
                if data > 0:
                    own["move"] += carriage(load, before[1], now[1], now[0])
        for t, s, level in ran:
            load[s, t] = load.get((s, t), 0.0) + levels[level][0]
            if may_stop:
                stoppable[s, t] = levels[level][0]
        found.append(Course(m, ran, own, load, stoppable, begin))
        if len(found) > most:
            raise TooMany

    def walk(m, mode, levels, t, ran, done, length, worked, to_read):
        """From slot t on; the last run has `length` slots, did work or not, and has to read so many."""
        if t == deadline:
            return
        walk(m, mode, levels, t + 1, ran, done, length, worked, to_read)
        for s in allowed:
            same = bool(ran) and ran[-1][0] == t - 1 and ran[-1][1] == s
            now_length, now_worked, now_read = length, worked, to_read
            if not same:
                if ran:
                    if not job.get("preemptible", True) or not worked:
                        continue
                    if length < job.get("min_run_slots", 1):
                        continue
                    if s != ran[-1][1] and not job.get("movable", False):
                        continue
                    if s != ran[-1][1] and data > 0 and t - carry < ran[-1][0] + 1:
                        continue
                elif data > 0 and origin is not None and s != origin and t - carry < job["release"]:
                    continue
                now_length, now_worked, now_read = 0, False, reading if ran else 0
            if now_read > 0:
                walk(m, mode, levels, t + 1, [*ran, (t, s, 0)], done, now_length + 1, now_worked,
                     now_read - 1)
                continue
            for level, (_, speed) in enumerate(levels):
                after = done + speed
                if after >= mode["slots"] - 1e-9:
                    keep(m, mode, [*ran, (t, s, level)])
                else:
                    walk(m, mode, levels, t + 1, [*ran, (t, s, level)], after, now_length + 1, True, 0)

    for m, mode in enumerate(job["modes"]):
        walk(m, mode, levels_of(mode), job["release"], [], 0.0, 0, False, 0)
    dropped = Course(None, [], {"quality": 0.0, "move": 0.0, "restart": 0.0, "late": 0.0,
                                "dropped": job["value_eur"]}, {}, {}, None)
    return [dropped, *found]


def fits(site, open_nodes, needs):
    """Whether modes fit onto open nodes, each on as many different ones as it takes: every way tried."""
    def put(k, used):
        if k == len(needs):
            return True
        for chosen in itertools.combinations(range(open_nodes), needs[k].get("nodes", 1)):
            if all(used[n] + needs[k].get("cores_per_node", 0) <= site.get("cores_per_node", 1e9)
                   for n in chosen):
                more = list(used)
                for n in chosen:
                    more[n] += needs[k].get("cores_per_node", 0)
                if put(k + 1, more):
                    return True
        return False
    return put(0, [0] * open_nodes)


class Oracle:
    """The best plan of a problem."""

    def __init__(self, problem):
        self.problem, self.p = problem, oracle.Programme()
        self.measures = {measure: {} for measure in MEASURES}
        self.courses = [courses_of(problem, job) for job in problem["jobs"]]
        self.choice = []
        sites, slots = range(len(problem["sites"])), range(problem["slots"])
        jobs_load = {cell: [] for cell in itertools.product(sites, slots)}
        stoppable = {cell: [] for cell in jobs_load}
        for courses in self.courses:
            columns = []
            for course in courses:
                x = self.p.column(0, 1, whole=True)
                columns.append(x)
                for name, measure in (("quality", "quality"), ("late", "late"), ("dropped", "dropped")):
                    self.measures[measure][x] = course.own[name]
                self.measures["cost"][x] = sum(course.own.values())
                for cell, kw in course.load.items():
                    jobs_load[cell].append((x, kw))
                for cell, kw in course.stoppable.items():
                    stoppable[cell].append((x, kw))
            self.choice.append(columns)
            self.p.row(1, 1, [(x, 1.0) for x in columns])
        self.flows = {name: {} for name in ("own", "grid", "it")}
        for s in sites:
            self.site(s, jobs_load, stoppable)
        self.goals()
        self.ties()
        for s, t in jobs_load:
            self.nodes(s, t)

    def pay(self, column, eur=0.0, grams=0.0, kwh=0.0):
        for measure, amount in (("cost", eur), ("carbon", grams), ("energy", kwh)):
            if amount:
                self.measures[measure][column] = self.measures[measure].get(column, 0.0) + amount

    def closed(self, site, t):
        """Greatest share of it that a closure takes in slot t."""
        return max([closure.get("share", 1.0) for closure in site.get("closures", ())
                    if closure["from"] <= t < closure["to"]], default=0.0)

    def site(self, s, jobs_load, stoppable):
        problem, p = self.problem, self.p
        site, h = problem["sites"][s], problem["slot_s"] / 3600
        carbon_price = problem["carbon_price_eur_per_t"] * 1e-6
        slots, series = range(problem["slots"]), lambda key, t: site[key][t] if key in site else 0.0
        battery, knees = site.get("battery"), site.get("knees", ())
        stored, grids, held = None, [], []
        for t in slots:
            base = series("base_kw", t)
            capacity = base + (1 - self.closed(site, t)) * (site["capacity_kw"][t] - base)
            it = p.column(0, capacity)
            p.row(base, base, [(it, 1.0)] + [(x, -kw) for x, kw in jobs_load[s, t]])
            limit = site["grid_limit_kw"][t] if site.get("grid_limit_kw") else None
            grid = p.column(0, oracle.INFINITY if limit is None else limit)
            own = p.column(0, site["free_kw"][t])
            export = p.column(0, site["export"]["limit_kw"][t] if "export" in site else 0)
            p.row(-oracle.INFINITY, site["free_kw"][t], [(own, 1.0), (export, 1.0)])
            balance = [(grid, 1.0), (own, 1.0), (it, -site["pue"][t])]
            for knee in knees:
                # Exactly max(0, it - from), also where drawing more would pay.
                start = knee["from_kw"]
                above, on = p.column(0), p.column(0, 1, whole=True)
                p.row(-start, oracle.INFINITY, [(above, 1.0), (it, -1.0)])
                p.row(-oracle.INFINITY, 0, [(above, 1.0), (on, -max(0.0, capacity - start))])
                p.row(-oracle.INFINITY, 0, [(above, 1.0), (it, -1.0), (on, start)])
                balance.append((above, -knee["extra"]))
            if battery:
                charge, discharge = p.column(0, battery["charge_kw"]), p.column(0, battery["discharge_kw"])
                p.row(-oracle.INFINITY, 1, [(charge, 1 / battery["charge_kw"]),
                                            (discharge, 1 / battery["discharge_kw"])])
                balance += [(charge, -1.0), (discharge, 1.0)]
                last = t == slots[-1]
                now = p.column(battery.get("end_kwh", 0.0) if last else 0.0, battery["capacity_kwh"])
                start = battery.get("start_kwh", 0.0) if t == 0 else 0.0
                p.row(start, start, [(now, 1.0), (charge, -h * battery.get("charge_efficiency", 1.0)),
                                     (discharge, h / battery.get("discharge_efficiency", 1.0))] +
                      ([(stored, -1.0)] if t > 0 else []))
                stored = now
                self.pay(discharge, h * battery.get("wear_eur_per_kwh", 0.0))
            p.row(site.get("idle_kw", 0.0), site.get("idle_kw", 0.0), balance)
            grams = site["carbon_g_per_kwh"][t]
            self.pay(grid, h * (site["price_eur_per_kwh"][t] + carbon_price * grams), h * grams, h)
            self.pay(own, kwh=h)
            self.pay(it, h * (site.get("it_eur_per_kwh", 0.0) + carbon_price * site.get("it_g_per_kwh", 0.0)),
                     h * site.get("it_g_per_kwh", 0.0))
            if "export" in site:
                self.pay(export, -h * site["export"]["price_eur_per_kwh"][t])
            grids.append(grid)
            self.flows["own"].setdefault(t, []).append(own)
            self.flows["grid"].setdefault(t, []).append(grid)
            if "reserve" in site:
                owed = site["reserve"].get("committed_kw", [0.0] * len(slots))[t]
                offer = site["reserve"].get("offer_kw", [0.0] * len(slots))[t]
                sold = p.column(0, offer)
                if offer:
                    self.pay(sold, -site["reserve"]["offer_eur_per_kw"][t])
                held.append((owed, sold))
        for charge in site.get("demand_charges", ()):
            peak = p.column(0)
            self.pay(peak, charge["eur_per_kw"])
            for t in range(charge["from"], charge["to"]):
                p.row(0, oracle.INFINITY, [(peak, 1.0), (grids[t], -1.0)])
        for t, (owed, sold) in enumerate(held):
            for k in range(problem.get("reserve", {}).get("hold_slots", 1)):
                if t + k < len(slots):
                    p.row(owed, oracle.INFINITY, [(sold, -1.0), *stoppable[s, t + k]])

    def goals(self):
        goals, p = self.problem.get("goals", {}), self.p
        for key, measure in (("carbon_cap_g", "carbon"), ("energy_budget_kwh", "energy"),
                             ("quality_cap_eur", "quality")):
            if key in goals:
                p.row(-oracle.INFINITY, goals[key], self.measures[measure].items())
        share = goals.get("own_share", 0.0)
        if share > 0:
            rows = [[(own, 1 - share) for own in self.flows["own"][t]] +
                    [(grid, -share) for grid in self.flows["grid"][t]] for t in self.flows["own"]]
            for row in rows if goals.get("own_share_each_slot") else [sum(rows, [])]:
                p.row(0, oracle.INFINITY, row)

    def ties(self):
        p, number = self.p, {job["id"]: j for j, job in enumerate(self.problem["jobs"])}
        for j, job in enumerate(self.problem["jobs"]):
            for after in job.get("after", ()):
                i, kind = number[after["job"]], after["kind"]
                mine = list(zip(self.choice[j], self.courses[j]))[1:]
                others = []
                for x, course in list(zip(self.choice[i], self.courses[i]))[1:]:
                    reached = course.first if kind == "after-start" else course.last + 1
                    others.append((x, reached + after.get("delay_slots", 0)))
                for earliest in {at for _, at in others}:
                    p.row(-oracle.INFINITY, 1, [(x, 1.0) for x, at in others if at >= earliest] +
                          [(x, 1.0) for x, course in mine if course.begin < earliest])
                if kind == "after-ok":
                    p.row(-oracle.INFINITY, 0, [(x, 1.0) for x, _ in mine] + [(x, -1.0) for x, _ in others])
        for array in self.problem.get("arrays", ()):
            for t in range(self.problem["slots"]):
                running = [(x, 1.0) for j, job in enumerate(self.problem["jobs"])
                           if job.get("array") == array["name"]
                           for x, course in zip(self.choice[j], self.courses[j])
                           if any(slot == t for slot, _, _ in course.ran)]
                p.row(-oracle.INFINITY, array["at_once"], running)

    def nodes(self, s, t):
        """Modes that do not fit beside each other do not run beside each other."""
        site = self.problem["sites"][s]
        if "nodes" not in site:
            return
        open_nodes = site["nodes"] - math.ceil(self.closed(site, t) * site["nodes"] - 1e-9)
        takers = [[(j, m) for m, mode in enumerate(job["modes"]) if "nodes" in mode]
                  for j, job in enumerate(self.problem["jobs"])]
        refused = []
        for size in range(1, len(takers) + 1):
            for some in itertools.combinations([of for of in takers if of], size):
                for chosen in itertools.product(*some):
                    if any(small <= set(chosen) for small in refused):
                        continue
                    if fits(site, open_nodes, [self.problem["jobs"][j]["modes"][m] for j, m in chosen]):
                        continue
                    refused.append(set(chosen))
                    self.p.row(-oracle.INFINITY, size - 1, [
                        (x, 1.0) for j, m in chosen for x, course in zip(self.choice[j], self.courses[j])
                        if course.mode == m and any((a, b) == (s, t) for b, a, _ in course.ran)])

    def least(self, measure, fixed=None):
        """(status, amount, values), with jobs' courses fixed to these or free."""
        p, keep = self.p, (list(self.p.low), list(self.p.high))
        p.cost = [self.measures[measure].get(c, 0.0) for c in range(len(p.low))]
        if fixed is not None:
            for columns, chosen in zip(self.choice, fixed):
                for k, x in enumerate(columns):
                    p.low[x] = p.high[x] = float(k == chosen)
        answer = p.solve()
        p.low, p.high = keep
        return answer

    def best(self):
        """(status, EUR, courses): courses fixed and solved again, so that no rounding is left in it."""
        status, eur, values = self.least("cost")
        if status != "optimal":
            return status, None, None
        chosen = [max(range(len(columns)), key=lambda k: values[columns[k]]) for columns in self.choice]
        again, exact, _ = self.least("cost", chosen)
        return "optimal", exact if again == "optimal" else eur, chosen

    def hold(self, measure, amount):
        """No more of it than was reached."""
        self.p.row(-oracle.INFINITY, amount + 1e-7 * max(1.0, abs(amount)), self.measures[measure].items())

    def course_number(self, j, mode, ran):
        """Which of the job's courses this is; None: it is none of them."""
        for k, course in enumerate(self.courses[j]):
            if course.mode == mode and course.ran == tuple(ran):
                return k
        return None
