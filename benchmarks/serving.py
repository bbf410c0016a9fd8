"""Serve 200,000 customers on this machine, and let 4 clients ask for 60 seconds.

`.venv/bin/python benchmarks/serving.py [customers] [seconds]` writes
benchmarks/results/serving.json for 200,000 customers and 60 s; else it prints only. The
service is started by the command of `make serve`, in a project of its own that holds
synthetic scores; half of the clients' requests come from the web page, a quarter from
advisers, a quarter from strangers with the hits of their visit.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from customer360.models.intent import fit_intent
from customer360.planning.decide import decide, read_request
from customer360.planning.pressure import ContactRule
from customer360.planning.state import ServiceState, build_state
from customer360.tracking import log_model_run

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = 4
AS_OF = date(2026, 3, 31)
MOMENT = "2026-04-01T10:30:00Z"
CHANNELS = ("email", "phone", "post", "sms", "social", "web")
OFFERS = {"none": 0.0, "gift": 0.05, "percent_10": 0.1, "percent_20": 0.2, "percent_30": 0.3}
ITEMS = tuple(f"item {n:02d}" for n in range(60))
PAGES, CATEGORIES = ("accueil", "produit", "categorie"), ("Livres", "Jardin", "Jouets", "Cuisine")
RULES = (ContactRule(3, 28), ContactRule(1, 7, "email"), ContactRule(1, 28, "phone"))


def customer_ids(n: int) -> np.ndarray:
    return np.array([f"c{number:012x}" for number in range(n)], dtype=object)


def draw_state(n: int, *, seed: int = 360) -> ServiceState:
    """Customers with scores, consents, a plan, suggestions and ten messages each."""
    rng = np.random.default_rng(seed)
    ids = customer_ids(n)
    consents = {f"consent_{c}": rng.random(n) < 0.6 for c in CHANNELS[:4]}
    reach = {f"reachable_{c}": rng.random(n) < 0.8 for c in CHANNELS[:4]}
    customers = pd.DataFrame(
        {"customer_id": ids, "as_of": AS_OF, "consent_third_party": rng.random(n) < 0.5,
         "preferred_channel": rng.choice(["email", "sms", None], n, p=[0.1, 0.1, 0.8]),
         "last_order_at": np.datetime64("2026-03-01", "us"),
         "updated_at": np.datetime64("2025-03-01", "us"), **consents, **reach}
    )  # fmt: skip
    options = [(c, o, d) for c in CHANNELS for o, d in OFFERS.items()]
    channel, offer, depth = (np.tile(column, n) for column in zip(*options, strict=True))
    rows = n * len(options)
    quadrant = np.array([None, "persuadable", "sure_thing", "sleeping_dog"], dtype=object)
    scores = pd.DataFrame(
        {"customer_id": np.repeat(ids, len(options)), "channel": channel, "offer": offer,
         "depth": depth.astype(float), "propensity": rng.random(rows),
         "expected_margin": rng.normal(0.1, 0.5, rows),
         "quadrant": quadrant[rng.integers(0, 4, rows)]}
    )  # fmt: skip
    ranks = np.tile(np.arange(1, 6), n)
    suggested = pd.DataFrame(
        {"customer_id": np.repeat(ids, 5), "rank": ranks, "score": 1.0 / ranks,
         "item": np.array(ITEMS)[rng.integers(0, len(ITEMS), 5 * n)], "reason": "goes with it"}
    )  # fmt: skip
    sent = np.datetime64("2026-03-31T09:00", "us") - rng.integers(0, 300, 10 * n) * np.timedelta64(
        1, "D"
    )
    contacts = pd.DataFrame(
        {"customer_id": np.repeat(ids, 10), "contact_id": np.arange(10 * n).astype(str),
         "channel": np.array(CHANNELS)[rng.integers(0, 6, 10 * n)], "at": sent, "event": "sent"}
    )  # fmt: skip
    plan = pd.DataFrame(
        {"customer_id": ids[::2], "slot": 1, "day": AS_OF + timedelta(days=3),
         "offer": "percent_10", "channel": "email", "goal": "retention"}
    )  # fmt: skip
    one = {"clv": rng.gamma(1, 100, n), "churn_probability": rng.random(n)}
    return build_state(
        as_of=AS_OF, customers=customers, rules=RULES, contacts=contacts, response_scores=scores,
        cross_sell_scores=suggested, decisions=plan, retention_days=1095,
        clv_scores=pd.DataFrame({"customer_id": ids, "clv": one["clv"]}),
        churn_scores=pd.DataFrame({"customer_id": ids, **one}),
        dissatisfaction_scores=pd.DataFrame(
            {"customer_id": ids, "dissatisfaction": rng.beta(1, 6, n)}
        ),
    )  # fmt: skip


def draw_hits(visits: int, *, seed: int = 360) -> pd.DataFrame:
    """Visits of strangers, some of which end in an order."""
    rng = np.random.default_rng(seed)
    length = rng.integers(2, 12, visits)
    who = np.repeat(np.arange(visits), length)
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    start = np.datetime64("2026-01-01", "us") + rng.integers(0, 80 * 86_400, visits) * (
        np.timedelta64(1, "s")
    )
    last = within == length[who] - 1
    kind = np.where(last & (who % 5 == 0), "order", np.where(within % 4 == 3, "cart", "page"))
    return pd.DataFrame(
        {"visitor_id": [f"v{n:06d}" for n in who],
         "at": start[who] + within * np.timedelta64(40, "s"),
         "kind": kind, "page": np.array(PAGES)[rng.integers(0, 3, len(who))],
         "category": np.array(CATEGORIES)[rng.integers(0, 4, len(who))],
         "referrer": "google", "device": "mobile"}
    )  # fmt: skip


def requests_of(n: int, hits: pd.DataFrame, *, count: int = 4000, seed: int = 7) -> list[dict]:
    """What clients ask, in turn."""
    rng = np.random.default_rng(seed)
    ids = customer_ids(n)[rng.integers(0, n, count)]
    visits = [
        [{**hit, "at": hit["at"].isoformat()} for hit in visit.to_dict("records")]
        for _, visit in list(hits.set_index("visitor_id").groupby("visitor_id"))[:200]
    ]  # fmt: skip
    asked: list[dict] = []
    for number, customer in enumerate(ids):
        if number % 4 == 3:
            asked.append(
                {"visitor_id": f"s{number}", "channel": "web", "hits": visits[number % 200]}
            )
        elif number % 4 == 2:
            asked.append({"customer_id": customer, "channel": "adviser",
                          "context": {"call_reason": "livraison"}})  # fmt: skip
        else:
            asked.append({"customer_id": customer, "channel": "web",
                          "context": {"page": ITEMS[number % 60], "cart": [ITEMS[3]]}})  # fmt: skip
    return [{**request, "moment": MOMENT} for request in asked]


def make_project(folder: Path, n: int) -> tuple[ServiceState, list[dict]]:
    """A project folder with the service registered in it."""
    state, hits = draw_state(n), draw_hits(3000)
    until = pd.Timestamp("2026-04-01")
    intent = fit_intent(hits, until=until, horizon_days=7, timezone="Europe/Paris", seed=360)
    assert intent is not None
    for name in ("state", "intent"):
        (folder / name).mkdir()
    state.save(folder / "state")
    intent.save(folder / "intent")
    shutil.copytree(ROOT / "serving", folder / "serving")
    (folder / "params.yaml").write_text("dataset: bench\n", encoding="utf-8")
    example = {"visitor_id": "example", "channel": "web", "moment": MOMENT}
    log_model_run(
        root=folder, stage="next_best_action", dataset="bench", params={}, metrics={}, figures={},
        tables={}, model_code=folder / "serving/next_best_action.py",
        artifacts={"state": folder / "state", "intent": folder / "intent"},
        input_example=[example],
        output_example=[decide(state, read_request(example, moment=datetime.max))],
        card="Synthetic state.",
    )  # fmt: skip
    return state, requests_of(n, hits)


def serve_command() -> str:
    """The recipe of `make serve`, as the Makefile has it."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"^serve:.*\n((?:\t.*\n)+)", text, re.M)
    assert found is not None
    return found.group(1).replace("\\\n", " ").replace("\t", " ").replace("$$", "$").strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, port: int) -> tuple[subprocess.Popen, float]:
    """Start the service; seconds until it says that it is well."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = serve_command().replace("$(PORT)", str(port))
    log = (folder / "server.log").open("w")
    began = time.perf_counter()
    server = subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env={**os.environ, "PATH": path},
        stdout=log, stderr=log, process_group=0,
    )  # fmt: skip
    while time.perf_counter() - began < 120:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return server, time.perf_counter() - began
        except OSError:
            time.sleep(0.05)
        if server.poll() is not None:
            break
    raise SystemExit((folder / "server.log").read_text()[-3000:])


def ask(port: int, bodies: list[bytes], *, until: float, found: list, errors: list) -> None:
    """One client: one request after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for turn in range(10**9):
        if time.perf_counter() > until:
            return
        began = time.perf_counter()
        try:
            connection.request(
                "POST", "/invocations", bodies[turn % len(bodies)],
                {"Content-Type": "application/json"},
            )  # fmt: skip
            response = connection.getresponse()
            text = response.read()
            found.append(time.perf_counter() - began)
            if response.status != 200 or b"decision_id" not in text:
                errors.append(response.status)
        except (OSError, http.client.HTTPException) as error:
            errors.append(type(error).__name__)
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def status_of(port: int, body: dict) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(
        "POST", "/invocations", json.dumps(body), {"Content-Type": "application/json"}
    )
    response = connection.getresponse()
    return response.status, response.read().decode()


def peak_mb(group: int) -> dict[str, float]:
    """Largest memory so far of each process of the service."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == group:
                peak = re.search(r"VmHWM:\s+(\d+)", (folder / "status").read_text())
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[words[:80]] = int(peak.group(1)) / 1024 if peak else 0.0
        except (OSError, ValueError):
            continue
    return found


def processor_seconds(group: int) -> float:
    """Processor time that the processes of the service have used: load does not change it."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == group:
                words = (folder / "stat").read_text().rpartition(")")[2].split()
                ticks += int(words[11]) + int(words[12])
        except (OSError, ValueError):
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state, asked = make_project(folder, n)
        port = free_port()
        server, cold = start(folder, port)
        try:
            used = processor_seconds(server.pid)
            results = measure(port, asked, seconds=seconds)
            more = processor_seconds(server.pid) - used
            memory = peak_mb(server.pid)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=30)
        lines = sum(1 for _ in (folder / "data/decisions/decisions.jsonl").open())
    results = {
        "customers": n,
        "seconds": seconds,
        "clients": CLIENTS,
        **results,
        "processor_ms_a_request": round(1000 * more / results["requests"], 2),
        "cold_start_seconds": round(cold, 1),
        "cold_start_processor_seconds": round(used, 1),
        "memory_mb": round(max(memory.values())),
        "memory_all_processes_mb": round(sum(memory.values())),
        "state_mb": round(state.n_bytes / 2**20),
        "decisions_logged": lines,
    }
    told = json.dumps(results, indent=2)
    if (n, seconds) == (200_000, 60.0):
        target = ROOT / "benchmarks" / "results" / "serving.json"
        target.write_text(told + "\n", encoding="utf-8")
    print(told)


def measure(port: int, asked: list[dict], *, seconds: float) -> dict[str, float]:
    """Four clients at once, then what a bad request gets."""
    bodies = [json.dumps({"inputs": [request]}).encode() for request in asked]
    for body in bodies[:40]:  # the first answers build what the others use
        status_of(port, json.loads(body))
    took: list[list[float]] = [[] for _ in range(CLIENTS)]
    errors: list = []
    began = time.perf_counter()
    clients = [
        threading.Thread(
            target=ask, args=(port, bodies[number * 997 :] + bodies[: number * 997]),
            kwargs={"until": began + seconds, "found": took[number], "errors": errors},
        )
        for number in range(CLIENTS)
    ]  # fmt: skip
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    lasted = time.perf_counter() - began
    all_took = np.sort(np.concatenate([np.array(t) for t in took])) * 1000
    bad = [{}, {"inputs": [{"channel": "web"}]}, {"inputs": [{**asked[0], "colour": 1}]}]
    return {
        "requests": len(all_took),
        "requests_per_second": round(len(all_took) / lasted, 1),
        "p50_ms": round(float(np.quantile(all_took, 0.5)), 2),
        "p99_ms": round(float(np.quantile(all_took, 0.99)), 2),
        "max_ms": round(float(all_took[-1]), 1),
        "errors": len(errors),
        "bad_requests_refused_400": sum(status_of(port, body)[0] == 400 for body in bad),
        "bad_requests": len(bad),
    }


if __name__ == "__main__":
    main()
