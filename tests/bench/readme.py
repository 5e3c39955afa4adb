#!/usr/bin/env python3
"""readme.py: the tables of README.md between its marks, from results/bench/core.txt and peers.csv. Needs nothing but Python."""
import csv
import re

ROW = "| {} | {} | {} % | {} | {} | {} |"
PEERS = "| {} | {} | {} | {} | {} |"


def number(d):
    return d if len(d) < 5 else d[:-3] + " " + d[-3:]


def core():
    text = open("results/bench/core.txt").read()
    rows, rates = {}, {}
    for ranks, threads, block in re.findall(r"^== (\d) x (\d) .*\n((?:(?!==).*\n)*)", text, re.M):
        for d, part in re.findall(r"d = m = (\d+),.*\n((?:  .*\n)*)", block):
            rates[d, ranks, threads], = map(float, re.findall(r"dgemm +([\d.]+)", part))
            share, = re.findall(r"([\d.]+) % of dsyrk", part)
            step, = re.findall(r"([\d.]+) x \(flops", part)
            product, = re.findall(r"([\d.]+) gradients", part)
            speed = re.search(r"d = %s +%s x %s +K ([\d.]+)  step ([\d.]+) .* vector ([\d.]+)" % (d, ranks, threads), text)
            rows[int(d), ranks, threads] = ROW.format(number(d), ranks + " × " + threads, round(float(share)), "%.2f" % float(step), product,
                                                      ", ".join(("%.2f" % (rates[d, ranks, threads] / rates[d, "1", "1"]), *speed.groups()))
                                                      if speed else "")
    head = ["| m | ranks × threads | K: share of the dsyrk rate | step: time over flops ÷ dgemm rate | Hessian product: gradients | "
            "over 1 × 1: dgemm itself, K, step, Hessian product |", "|---|---|---|---|---|---|"]
    machine = text.splitlines()[1]
    return [machine + ":", ""] + head + [rows[key] for key in sorted(rows)]


def peers():
    with open("results/bench/peers.csv") as file:
        rows = list(csv.DictReader(file))
    table = ["| | problem | s | codim, s | ratio |", "|---|---|---|---|---|"]
    for row in rows:
        theirs, ours = float(row["peer_seconds"]), float(row["codim_seconds"])
        table.append(PEERS.format(row["peer"], row["problem"], "%.3g" % theirs, "%.3g" % ours, "%.3g" % (theirs / ours)))
    return table


def main():
    readme = open("README.md").read()
    for name, table in ("core", core()), ("peers", peers()):
        readme, count = re.subn(r"(<!-- bench %s: begin.*?-->\n).*?(?=\n<!-- bench %s: end -->)" % (name, name),
                                lambda found: found[1] + "\n" + "\n".join(table) + "\n", readme, flags=re.S)
        assert count == 1, name
    open("README.md", "w").write(readme)


if __name__ == "__main__":
    main()
