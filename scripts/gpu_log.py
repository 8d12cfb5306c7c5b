#!/usr/bin/env python3
"""Writes a section for docs/gpu-log.md: what was run, on which GPU, with which result. No path of the machine is in it."""
import argparse
import datetime
import json
import re
import subprocess
import xml.etree.ElementTree

COLUMNS = (  # of the table of cases: title, metric, digits
    ("images/s", "throughput", 1),
    ("latency p50, ms", "latency.p50", 2),
    ("parity error", "parity.error", None),
    ("GPU memory, MiB", "memory.device", 0),
    ("J/image", "energy.gross", 3),
    ("load cold, ms", "load.cold", 0),
    ("cached, ms", "load.cached", 0),
)

MOST_LETTERS = 300  # of a reason


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--title", required=True)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--program", required=True, help="assay")
    parser.add_argument("--backends", required=True, help="what `assay backends --json` said")
    parser.add_argument("--left-out", default="", help="why TensorRT takes no part")
    parser.add_argument("--minutes", default="")
    parser.add_argument("--tests", help="ctest's JUnit file")
    parser.add_argument("--figures", help="what bench_gpu printed")
    parser.add_argument("--results", help="a results file")
    return parser.parse_args()


def rows(header, lines):
    """A Markdown table; nothing of no lines."""
    if not lines:
        return []
    table = [header, ["---"] * len(header), *lines]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in table] + [""]


def without_paths(text):
    return re.sub(r"(?<![\w:/.])/[^\s,;:()]+/", "…/", text)


def what_was_met(args, backends):
    gpus = {}
    lines = []
    for backend in backends:
        for device in backend["devices"]:
            if device["name"].startswith("gpu:") and backend["name"] != "null":
                gpus[device["name"]] = device["description"]
    lines += [[name, description] for name, description in sorted(gpus.items())] or [["GPU", "none was met"]]
    for backend in backends:
        if backend["name"] in ("onnxruntime", "tensorrt") and backend["available"]:
            lines.append([backend["name"], f"{backend['version']} ({backend['origin']})"])
    if args.left_out:
        lines.append(["tensorrt", "left out: " + without_paths(args.left_out).split(";")[0]])
    lines.append(["Assay", "commit " + args.commit])
    if args.minutes:
        lines.append(["took", args.minutes + " min"])
    return rows(["", ""], lines)


def group_of(test):
    """What tests are counted under: "Conformance, onnxruntime", "NodeTests, tensorrt"."""
    engine = next((e for e in ("onnxruntime", "tensorrt") if e in test), "")
    suite = re.sub(r"^[A-Za-z]+/", "", test).split(".")[0]
    return suite + (", " + engine if engine else "")


def why_failed(output):
    """What GoogleTest says of the first failure; else the lines that a program ended with."""
    first = re.search(r"Failure\n(.*?)(?=\n\[ |\Z)", output, re.S)
    return first.group(1) if first else "\n".join(output.strip().splitlines()[-3:])


def tests(file):
    counts, failures = {}, []
    for case in xml.etree.ElementTree.parse(file).getroot().iter("testcase"):
        count = counts.setdefault(group_of(case.get("name")), {"passed": 0, "failed": 0, "skipped": 0, "said": ""})
        output = case.findtext("system-out") or ""
        state = {"run": "passed", "fail": "failed"}.get(case.get("status"), "skipped")
        count[state] += 1
        said = re.search(r"\d+ passed, \d+ known not to pass, \d+ skipped, \d+ failed", output)
        if said:
            elsewhere = re.search(r"\d+ of these fell back", output)
            count["said"] = said.group(0) + ("; " + elsewhere.group(0) if elsewhere else "")
        if state == "failed":
            name = case.get("name").split("  #")[0]
            failures.append(f"- `{name}`: " + without_paths(" ".join(why_failed(output).split()))[:MOST_LETTERS])
    lines = [[group, str(c["passed"]), str(c["failed"]), str(c["skipped"]), c["said"]]
             for group, c in sorted(counts.items())]
    return rows(["tests", "passed", "failed", "skipped", "within"], lines) + failures + ([""] if failures else [])


def campaigns(program, file):
    def asked(*words):
        answer = subprocess.run([program, "results", *words, "--db", file, "--json"], capture_output=True, text=True)
        return json.loads(answer.stdout) if answer.returncode == 0 else {}

    for campaign in reversed(asked("list").get("campaigns", [])):
        yield asked("show", campaign["id"])


def figure(metrics, tag, digits):
    metric = metrics.get(tag)
    if metric is None or metric["value"] is None:
        return "–"
    write = (lambda v: f"{v:.1e}") if digits is None else (lambda v: f"{v:.{digits}f}")
    interval = ""
    if metric["low"] is not None and tag in ("throughput", "latency.p50"):
        interval = f" [{write(metric['low'])}, {write(metric['high'])}]"
    return write(metric["value"]) + interval


def overlap(cases):
    """What several batches in flight are worth: throughput over that of one, of cases alike in all else."""
    rates, lines = {}, []
    for outcome in cases:
        case, metrics = outcome["case"], {m["tag"]: m for m in outcome["metrics"]}
        rate = metrics.get("throughput", {}).get("value")
        if outcome["state"] != "measured" or case["for"] != "throughput" or not rate:
            continue
        name = (case["model"], case["backend"], case["strategy"], str(case["batch_size"]), case["precision"])
        rates.setdefault(name, {})[str(case["in_flight"])] = rate
    for name, of in sorted(rates.items()):
        if {"auto", "1"} <= of.keys():
            lines.append([*name, f"{of['auto'] / of['1']:.2f}"])
    return rows(["model", "engine", "strategy", "batch", "precision", "overlapped over one at a time"], lines)


def results(program, file):
    lines, reasons, warnings, cases = [], {}, [], []
    for campaign in campaigns(program, file):
        for warning in campaign.get("campaign", {}).get("warnings", []):
            line = f"- {warning['kind']}: {without_paths(warning['message'])}"
            if line not in warnings:
                warnings.append(line)
        for outcome in campaign.get("outcomes", []):
            case = outcome["case"]
            cases.append(outcome)
            metrics = {m["tag"]: m for m in outcome["metrics"]}
            name = [case["model"], case["backend"], case["strategy"], case["for"], str(case["batch_size"]),
                    str(case["in_flight"]), case["precision"]]
            lines.append(name + [outcome["state"]] + [figure(metrics, tag, digits) for _, tag, digits in COLUMNS])
            if outcome["reason"]:
                why = f"{outcome['state']} ({outcome['phase']}): {without_paths(outcome['reason'])[:MOST_LETTERS]}"
                reasons.setdefault(why, []).append(" ".join(name))
    header = ["model", "engine", "strategy", "for", "batch", "in flight", "precision", "outcome"]
    text = rows(header + [title for title, _, _ in COLUMNS], lines)
    for why, names in reasons.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        text.append(f"- {names[0]}{more}: {why}")
    return text + warnings + ([""] if reasons or warnings else []) + overlap(cases)


def main():
    args = arguments()
    with open(args.backends) as file:
        backends = json.load(file)["backends"]
    text = [f"## {datetime.date.today()}: {args.title}", *what_was_met(args, backends)]
    if args.tests:
        text += tests(args.tests)
    if args.figures:
        with open(args.figures) as file:
            text += ["```", file.read().rstrip("\n"), "```", ""]
    if args.results:
        text += results(args.program, args.results)
    print("\n".join(text).rstrip("\n"))


main()
