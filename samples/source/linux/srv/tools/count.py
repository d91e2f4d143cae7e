#!/usr/bin/env python3
"""Counts maps per decade in the catalogue."""
import collections
import csv
import sys

count = collections.Counter()
with open(sys.argv[1], newline="") as source:
    for row in csv.DictReader(source):
        count[int(row["year"]) // 10 * 10] += 1
for decade, number in sorted(count.items()):
    print(decade, number)
