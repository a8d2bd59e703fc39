# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What a trace of rondo run must be, beside what other commands say of the same program.

    trace.py TRACE REPORT REGIONS    REPORT of rondo run --json, REGIONS of rondo verify --regions
"""
import collections
import json
import re
import sys

QUEUE, LAYERS, DMA = 1, 2, 3
CHANNELS = 4


def nests(slices):
    """Whether each slice lies in or behind those before it, in the order of a tree."""
    open_ends = []
    for begin, end in slices:
        while open_ends and open_ends[-1] <= begin:
            open_ends.pop()
        if begin > end or (open_ends and end > open_ends[-1]):
            return False
        open_ends.append(end)
    return True


def check_replay(events, clearing, cycles, regions):
    """The events of one replay, whose cycles count from its begin."""
    layers = [e for e in events if e["cat"] == "layer"]
    at, sums = 0, collections.Counter()
    for e in layers:
        assert e["args"]["cycle"] == at and e["args"]["cycles"] > 0, e
        at += e["args"]["cycles"]
        sums[e["name"]] += e["args"]["cycles"]
    assert at == cycles, (at, cycles)
    assert +sums == +regions, (sums, regions)
    assert sums["(clearing)"] == clearing
    for e in events:
        assert 0 <= e["args"]["cycle"] and e["args"]["cycle"] + e["args"]["cycles"] <= cycles, e
    for channel in range(CHANNELS):
        before = 0
        for e in events:
            if e["tid"] == DMA + channel:
                assert e["cat"] == "dma" and e["args"]["bytes"] > 0 and e["args"]["cycle"] >= before, e
                before = e["args"]["cycle"] + e["args"]["cycles"]


def main(trace, report, regions_file):
    with open(trace) as f, open(report) as g, open(regions_file) as h:
        trace, report, text = json.load(f), json.load(g), h.read()
    regions = collections.Counter()
    for name, cycles in re.findall(r"^region (.*?) +(\d+) cycles", text, re.M):
        regions[name] += int(cycles)
    cycles, replays = report["cycles"], report["replays"]
    assert sum(regions.values()) == cycles
    assert trace["otherData"]["cycles"] == cycles and trace["otherData"]["replays"] == replays
    khz = trace["otherData"]["clock_khz"]
    slices = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    names = {e["tid"] for e in trace["traceEvents"] if e["ph"] == "M" and e["name"] == "thread_name"}
    assert {e["tid"] for e in slices} <= names and all(e["pid"] == 1 for e in slices)

    runs = [e for e in slices if e["cat"] == "replay"]
    assert len(runs) == replays and all(e["args"]["cycles"] == cycles for e in runs)
    order = [e["cat"] for e in slices]
    starts = [i for i, cat in enumerate(order) if cat == "queue"] + [len(slices)]
    for run, first, last in zip(runs, starts, starts[1:]):
        queued, replay, *events = slices[first:last]
        assert replay is run and queued["args"]["cycle"] == 0
        check_replay(events, regions["(clearing)"], cycles, regions)
        for e in events:  # cycles and the time that a viewer shows are the same
            since = (e["ts"] - run["ts"]) * khz / 1000
            assert abs(since - e["args"]["cycle"]) < 0.01, e
    for track in names:
        times = [(round(e["ts"] * 1e6), round((e["ts"] + e["dur"]) * 1e6)) for e in slices if e["tid"] == track]
        assert nests(times), track
    return slices


slices = main(*sys.argv[1:4])
print(len(slices), "slices,", sum(e["cat"] == "dma" for e in slices), "transfers,",
    sum(e["cat"] == "stall" for e in slices), "stalls,", sum(e["cat"] == "layer" for e in slices), "layers")
