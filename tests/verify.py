#!/usr/bin/env python3
"""Reads what a job has committed, with a reader that shares no code with seatun, and compares it with what
was due: every row once, unchanged, each split in its order.

    verify.py FOLDER FORMAT ROWS [ROWS ...]

FORMAT is parquet or csv. ROWS is `split:count` (rows 0 to count - 1 of a split) once for each split. Only
committed files are read: names that begin with `.` or `_` are hidden. Prints one line of counts and ends
with 0 if nothing is wrong, else with 1 and examples.
"""

import os
import re
import sys
import zlib
from collections import Counter

import duckdb

# T_<job>_<tag>_<subtask>_<epoch>[_<n>].<extensions>
NAME = re.compile(r"T_.*_[0-9a-f]{10}_(\d+)_(\d+)(?:_(\d+))?\.[a-z.0-9]+$")
COLUMNS = {"split": "VARCHAR", "seq": "BIGINT", "payload": "VARCHAR", "crc": "BIGINT"}
ODD = ["", ",", '"', "\n", "\u00fc", "\u6771", "'"]


def payload(split, seq):
    """What a row must hold; tests/it/rows.rs makes the same."""
    piece = f"{split}-{seq * 2654435761 % 2**32:08x}{ODD[seq % len(ODD)]}"
    return piece * (1 + seq % 5)


def crc(split, seq, text):
    return zlib.crc32(f"{split}:{seq}:{text}".encode())


def committed(folder):
    """The files a reader sees, in the order in which they were committed."""
    found, leftovers = [], 0
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        for name in names:
            if name.startswith((".", "_")):
                leftovers += 1
                continue
            match = NAME.search(name)
            if not match:
                sys.exit(f"a committed file has an unknown name: {name}")
            subtask, epoch, number = (int(part or 0) for part in match.groups())
            found.append((epoch, subtask, number, os.path.join(place, name)))
    return sorted(found), leftovers


def read(connection, path, form):
    if form == "parquet":
        query = "SELECT split, seq, payload, crc FROM read_parquet(?) ORDER BY file_row_number"
        query = query.replace("(?)", "(?, file_row_number = true)")
        return connection.execute(query, [path]).fetchall()
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    query = (
        f"SELECT * FROM read_csv(?, columns = {{{columns}}}, header = false, delim = ',', quote = '\"',"
        " escape = '\"', auto_detect = false, parallel = false, new_line = '\\n')"
    )
    return connection.execute(query, [path]).fetchall()


def main():
    folder, form, *rows = sys.argv[1:]
    due = {split: int(count) for split, count in (text.rsplit(":", 1) for text in rows)}
    connection = duckdb.connect()
    seen, corrupt, disorder = Counter(), [], []
    # By split: the epoch and subtask of its last rows, its last row, and its last row of epochs before.
    last, before = {}, {}
    files, leftovers = committed(folder)
    for epoch, subtask, number, path in files:
        within = {}
        for split, seq, text, check in read(connection, path, form):
            seen[(split, seq)] += 1
            if text != payload(split, seq) or check != crc(split, seq, text):
                corrupt.append((split, seq, path))
            if within.get(split, -1) >= seq:
                disorder.append((split, seq, path))
            within[split] = max(within.get(split, -1), seq)
            place = last.get(split)
            if place and place[0] < epoch:
                before[split] = max(before.get(split, -1), place[1])
                last[split] = place = None
            if before.get(split, -1) >= seq:
                disorder.append((split, seq, path))
            last[split] = (epoch, max(seq, place[1] if place else -1))
    lost = [(split, seq) for split, count in due.items() for seq in range(count) if (split, seq) not in seen]
    doubled = [row for row, times in seen.items() if times > 1]
    unknown = [(split, seq) for split, seq in seen if not 0 <= seq < due.get(split, 0)]
    wrong = {
        "lost": lost,
        "doubled": doubled,
        "unknown": unknown,
        "corrupt": corrupt,
        "out of order": disorder,
        "left over": [leftovers] * leftovers,
    }
    epochs = len({epoch for epoch, _, _, _ in files})
    counts = ", ".join(f"{name} {len(rows)}" for name, rows in wrong.items())
    print(f"due {sum(due.values())}, rows {sum(seen.values())}, {counts}, files {len(files)}, epochs {epochs}")
    for name, rows in wrong.items():
        if rows:
            print(f"  {name}: {rows[:10]}", file=sys.stderr)
    sys.exit(1 if any(wrong.values()) else 0)


main()
