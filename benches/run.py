#!/usr/bin/env python3
"""Times the release binary beside its peers, pair by pair in one go, and prints ratios.

    cargo build --release && benches/run.py [--record] [--only a,b,c,d] [--rounds N]

Each measurement is a process of its own: wall time, CPU seconds (user + system) and peak memory are the
kernel's figures for it (wait4). The two sides of a pair take turns, so that a noisy minute hits both.
"""

import argparse
import datetime
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "seatun"
WORK = CACHE / "bench"
COLUMNS = """l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int,
l_quantity decimal(15,2), l_extendedprice decimal(15,2), l_discount decimal(15,2), l_tax decimal(15,2),
l_returnflag string, l_linestatus string, l_shipdate date, l_commitdate date, l_receiptdate date,
l_shipinstruct string, l_shipmode string, l_comment string"""
COLUMNS = [text.strip().split(" ", 1) for text in COLUMNS.replace("15,2", "15;2").split(",")]
COLUMNS = [(name, kind.replace(";", ",")) for name, kind in COLUMNS]


class Run:
    """What one process has used."""

    def __init__(self, wall, usage):
        self.wall = wall
        self.cpu = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss / 1024


class Summary:
    """The median of several runs; of memory the greatest."""

    def __init__(self, runs):
        self.wall = statistics.median(run.wall for run in runs)
        self.cpu = statistics.median(run.cpu for run in runs)
        self.memory = max(run.memory for run in runs)
        self.runs = len(runs)

    def __str__(self):
        return f"{self.wall:8.3f} s wall  {self.cpu:8.3f} s CPU  {self.memory:7.1f} MB peak  ({self.runs} runs)"


def measure(command, folder):
    """Runs a command to its end. A failure ends the benchmark: a wrong run has no time."""
    log = folder / "log.txt"
    with open(log, "wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command} ended with {process.returncode}:\n{log.read_text()[-4000:]}")
    return Run(wall, usage)


class Bench:
    """Commands and data that several comparisons share."""

    def __init__(self, options):
        self.options = options
        self.threads = options.threads
        self.seatun = pathlib.Path(options.binary).resolve()
        if not self.seatun.exists():
            sys.exit(f"{self.seatun} does not exist: build it with `cargo build --release`")
        setup = subprocess.run([ROOT / "tests/setup.sh", "--print"], check=True, stdout=subprocess.PIPE, text=True)
        self.python = setup.stdout.strip()
        self.lines = []

    def say(self, text=""):
        print(text, flush=True)
        self.lines.append(text)

    def lineitem(self, scale):
        """TPC-H's largest table as CSV with a header."""
        folder = WORK / f"tpch-{scale}"
        path = folder / "lineitem.csv"
        if not path.exists():
            tool = pathlib.Path(self.python).parent / "tpchgen-cli"
            if not tool.exists():
                subprocess.run([self.python, "-m", "pip", "install", "--quiet", "tpchgen-cli"], check=True)
            shutil.rmtree(folder, ignore_errors=True)
            making = WORK / f"tpch-{scale}.making"
            shutil.rmtree(making, ignore_errors=True)
            command = [tool, "csv", "-s", str(scale), "--tables=lineitem", f"--output-dir={making}"]
            subprocess.run(command, check=True)
            making.rename(folder)
        # Both sides find the file in the page cache.
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass
        return path

    def our_copy(self, source, checkpoint=None):
        """A function that runs our CSV to Parquet job once, in an empty folder."""
        fields = "\n".join(f'      {name} = "{kind}"' for name, kind in COLUMNS)
        interval = "" if checkpoint is None else f"checkpoint.interval = {checkpoint}"
        job = f"""env {{
  job.name = lineitem
  job.mode = BATCH
  parallelism = {self.threads}
  {interval}
}}
source {{
  LocalFile {{
    path = "{source}"
    file_format_type = csv
    skip_header_row_number = 1
    schema {{ fields {{
{fields}
    }} }}
  }}
}}
sink {{
  LocalFile {{
    path = out
    file_format_type = parquet
    compress_codec = zstd
  }}
}}
"""
        return lambda: self.our_job(job)

    def our_job(self, job):
        folder = WORK / "ours"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "job.conf").write_text(job)
        command = [self.seatun, "run", "job.conf", "--progress", "none", "--log-level", "warn"]
        return measure(command + ["--threads", str(self.threads)], folder)

    def their_copy(self, source):
        """DuckDB does the same with as many threads."""
        columns = ", ".join(f"'{name}': '{kind.replace('string', 'varchar')}'" for name, kind in COLUMNS)
        script = (
            f"import duckdb; duckdb.execute('SET threads = {self.threads}');"
            f'duckdb.execute("""COPY (FROM read_csv(\'{source}\', header = true, columns = {{{columns}}}))'
            " TO 'out.parquet' (FORMAT parquet, COMPRESSION zstd)\"\"\")"
        )

        def run():
            folder = WORK / "duckdb"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            return measure([self.python, "-c", script], folder)

        return run

    def same_result(self):
        """Both sides have written the same rows, or nothing is worth comparing."""
        query = (
            "SELECT count(*), sum(l_orderkey), sum(l_extendedprice), sum(l_tax), min(l_shipdate),"
            " max(l_receiptdate), sum(hash(l_comment)::HUGEINT), sum(hash(l_shipmode)::HUGEINT)"
            " FROM read_parquet('{}')"
        )
        script = "import duckdb, sys; print(duckdb.execute(sys.argv[1]).fetchone())"
        ours, theirs = (
            subprocess.run(
                [self.python, "-c", script, query.format(path)], check=True, stdout=subprocess.PIPE, text=True
            ).stdout
            for path in [WORK / "ours/out/*.parquet", WORK / "duckdb/out.parquet"]
        )
        if ours != theirs:
            sys.exit(f"the results differ:\n{ours}{theirs}")
        sizes = [
            sum(path.stat().st_size for path in (WORK / folder).glob(pattern)) / 1e6
            for folder, pattern in [("ours", "out/*.parquet"), ("duckdb", "out.parquet")]
        ]
        self.say(f"  same rows in both; {sizes[0]:.0f} MB written by seatun, {sizes[1]:.0f} MB by DuckDB")

    def pair(self, names, sides, rounds):
        """Runs two sides in turn and prints both with their ratio (first over second)."""
        for side in sides:
            side()
        runs = ([], [])
        for _ in range(rounds):
            for side, results in zip(sides, runs):
                results.append(side())
        ours, theirs = Summary(runs[0]), Summary(runs[1])
        width = max(map(len, names))
        self.say(f"  {names[0]:{width}} {ours}")
        self.say(f"  {names[1]:{width}} {theirs}")
        ratios = (ours.wall / theirs.wall, ours.cpu / theirs.cpu, ours.memory / theirs.memory)
        self.say("  {:{}} {:8.2f} x wall  {:8.2f} x CPU  {:7.2f} x peak".format("ratio", width, *ratios))
        return ours, theirs, ratios


def csv_to_parquet(bench):
    bench.say("(a) CSV to Parquet with zstd, TPC-H lineitem SF1, beside DuckDB")
    source = bench.lineitem(1)
    sides = [bench.our_copy(source), bench.their_copy(source)]
    ours, _, ratios = bench.pair(["seatun", "DuckDB"], sides, bench.options.rounds)
    bench.same_result()
    bench.say(f"  target: wall ratio at most 1 ({ratios[0]:.2f}), memory under 300 MB ({ours.memory:.0f} MB)")


def start_up(bench):
    bench.say("(b) start-up: one row from FakeSource to Blackhole")
    job = """env { job.mode = BATCH }
source { FakeSource { row.num = 1, schema { fields { id = bigint } } } }
sink { Blackhole {} }
"""
    bench.our_job(job)
    summary = Summary([bench.our_job(job) for _ in range(20)])
    bench.say(f"  seatun {summary}")
    bench.say(f"  target: 50 ms ({summary.wall * 1000:.0f} ms), 40 MB ({summary.memory:.1f} MB)")


def more_input(bench):
    scale = bench.options.scale
    bench.say(f"(c) memory with ten times the input: lineitem SF{10 * scale} over SF{scale}")
    sides = [bench.our_copy(bench.lineitem(10 * scale)), bench.our_copy(bench.lineitem(scale))]
    names = [f"SF{10 * scale}", f"SF{scale}"]
    _, _, ratios = bench.pair(names, sides, 1)
    bench.say(f"  target: peak ratio at most 1.1 ({ratios[2]:.2f})")


def checkpoints(bench):
    bench.say("(d) a checkpoint every second, over none: lineitem SF1")
    source = bench.lineitem(1)
    sides = [bench.our_copy(source, checkpoint=1000), bench.our_copy(source)]
    _, _, ratios = bench.pair(["every second", "none"], sides, bench.options.rounds)
    bench.say(f"  target: wall ratio at most 1.10 ({ratios[0]:.2f})")


def machine():
    model = platform.processor()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {model}, {memory:.0f} GB, {platform.system()} {platform.release()}"


def main():
    cases = {"a": csv_to_parquet, "b": start_up, "c": more_input, "d": checkpoints}
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or CACHE / "target")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="a,b,c,d", help="which comparisons, by letter")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side of (a) and (d)")
    parser.add_argument("--scale", type=float, default=1, help="scale of the smaller input of (c)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of both sides")
    parser.add_argument("--binary", default=target / "release/seatun", help="which binary is timed")
    parser.add_argument("--record", action="store_true", help="append the figures to benches/RESULTS.md")
    options = parser.parse_args()
    if options.scale == int(options.scale):
        options.scale = int(options.scale)
    bench = Bench(options)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    version = subprocess.run(
        [bench.python, "-c", "import duckdb; print(duckdb.__version__)"], stdout=subprocess.PIPE, text=True
    )
    today = datetime.date.today().isoformat()
    bench.say(f"{machine()}; {options.threads} threads")
    bench.say(f"seatun {commit.stdout.strip()}, DuckDB {version.stdout.strip()}")
    for letter in options.only.split(","):
        bench.say()
        cases[letter.strip()](bench)
    if options.record:
        with open(ROOT / "benches/RESULTS.md", "a", encoding="utf-8") as file:
            file.write(f"\n## {today}\n\n```\n" + "\n".join(bench.lines) + "\n```\n")


main()
