#!/usr/bin/env python3
"""Reads what a job has committed, with a reader that shares no code with seatun, and compares it with what
was due: every row once, unchanged, each split in its order.

    verify.py FOLDER FORMAT PAYLOAD WRITERS ROWS [--leftovers]

FORMAT is parquet or csv. Due are the rows 1 to ROWS of each writer (split) 0 to WRITERS - 1. PAYLOAD says what
their payload is: `file`, as tests/it/rows.rs makes it, or `fake:MAX`, as FakeSource does with `sequence = true`
and `payload.max = MAX`. Only committed files are read: names that begin with `.` or `_` are hidden, and with
`--leftovers` there may be some. Prints one line of counts and ends with 0 if nothing is wrong, else with 1 and
examples.
"""

import math
import os
import re
import sys
from collections import Counter

import duckdb

# T_<job>_<tag>_<subtask>_<epoch>[_<n>].<extensions>
NAME = re.compile(r"T_.*_[0-9a-f]{10}_(\d+)_(\d+)(?:_(\d+))?\.[a-z.0-9]+$")
COLUMNS = {"writer": "INTEGER", "seq": "BIGINT", "payload": "VARCHAR", "crc": "BIGINT"}
ODD = ["", ",", '"', "\n", "\u00fc", "\u6771", "'"]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,\""
BITS = 2**64 - 1
STEP = 0x9E3779B97F4A7C15


def file_payload(writer, seq):
    piece = f"w{writer}-{seq * 2654435761 % 2**32:08x}{ODD[seq % len(ODD)]}"
    return piece * (1 + seq % 5)


def mix(value):
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & BITS
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & BITS
    return value ^ (value >> 31)


def fake_payload(writer, seq, longest):
    key = mix(0x73656174756E)
    for label in (writer, seq):
        key = mix(key ^ mix((label + STEP) & BITS))
    least = min(10, longest)
    fraction = (mix((key + STEP) & BITS) >> 11) / 2**53
    length = math.floor(least * (longest / max(least, 1)) ** fraction + 0.5)
    length = min(max(length, least), longest)
    text, index = [], 1
    while len(text) < length:
        bits = mix((key + (index + 1) * STEP) & BITS)
        index += 1
        for _ in range(min(length - len(text), 10)):
            text.append(ALPHABET[bits & 63])
            bits >>= 6
    return "".join(text)


def crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = crc_table()


def crc32c(text):
    value = 0xFFFFFFFF
    for byte in text.encode():
        value = CRC_TABLE[(value ^ byte) & 255] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def committed(folder):
    """The files a reader sees, in the order in which they were committed."""
    found, leftovers = [], []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        for name in names:
            if name.startswith((".", "_")):
                leftovers.append(name)
                continue
            match = NAME.search(name)
            if not match:
                sys.exit(f"a committed file has an unknown name: {name}")
            subtask, epoch, number = (int(part or 0) for part in match.groups())
            found.append((epoch, subtask, number, os.path.join(place, name)))
    return sorted(found), leftovers


def read(connection, path, form):
    if form == "parquet":
        query = "SELECT writer, seq, payload, crc FROM read_parquet(?) ORDER BY file_row_number"
        query = query.replace("(?)", "(?, file_row_number = true)")
        return connection.execute(query, [path]).fetchall()
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    query = (
        f"SELECT * FROM read_csv(?, columns = {{{columns}}}, header = false, delim = ',', quote = '\"',"
        " escape = '\"', auto_detect = false, parallel = false, new_line = '\\n')"
    )
    return connection.execute(query, [path]).fetchall()


def main():
    folder, form, kind, writers, rows, *options = sys.argv[1:]
    writers, rows = int(writers), int(rows)
    payload = file_payload
    if kind.startswith("fake:"):
        longest = int(kind.removeprefix("fake:"))
        payload = lambda writer, seq: fake_payload(writer, seq, longest)
    connection = duckdb.connect()
    seen, corrupt, disorder = Counter(), [], []
    # Of each writer: the newest epoch it was seen in, its last row there, and its last row of epochs before.
    newest, last, before = Counter(), Counter(), Counter()
    files, leftovers = committed(folder)
    for epoch, _, _, path in files:
        within = Counter()
        for writer, seq, text, check in read(connection, path, form):
            seen[(writer, seq)] += 1
            if writer < 0 or text != payload(writer, seq) or check != crc32c(text):
                corrupt.append((writer, seq, path))
            if newest[writer] < epoch:
                before[writer] = max(before[writer], last[writer])
                newest[writer] = epoch
            if seq <= within[writer] or seq <= before[writer]:
                disorder.append((writer, seq, path))
            within[writer] = max(within[writer], seq)
            last[writer] = max(last[writer], seq)
    due = [(writer, seq) for writer in range(writers) for seq in range(1, rows + 1)]
    wrong = {
        "lost": [row for row in due if row not in seen],
        "doubled": [row for row, times in seen.items() if times > 1],
        "unknown": list(seen.keys() - set(due)),
        "corrupt": corrupt,
        "out of order": disorder,
        "left over": leftovers,
    }
    epochs = len({epoch for epoch, _, _, _ in files})
    counts = ", ".join(f"{name} {len(rows)}" for name, rows in wrong.items())
    print(f"due {len(due)}, rows {sum(seen.values())}, {counts}, files {len(files)}, epochs {epochs}")
    for name, rows in wrong.items():
        if rows:
            print(f"  {name}: {rows[:10]}", file=sys.stderr)
    if "--leftovers" in options:
        del wrong["left over"]
    sys.exit(1 if any(wrong.values()) else 0)


main()
