"""Cluster files to begin with: what each test adds stands below."""

from __future__ import annotations

BASE = """\
cluster: {name: demo}
nodes:
  n1: {capacity: {cpu: 8, memory_mib: 8192}}
  n2: {capacity: {cpu: 8, memory_mib: 8192}}
  n3: {capacity: {cpu: 8, memory_mib: 8192}, rack: r1}
classes: {gold: {priority: 3}}
guests:
  a: {cpu: 1, memory_mib: 512}
  b: {cpu: 1, memory_mib: 512}
  c: {cpu: 1, memory_mib: 512}
"""
ADDED = BASE.count("\n") + 1
"""The line on which what is added to BASE begins."""

NODES = """\
cluster: {name: demo}
nodes:
  n1: {capacity: {cpu: 8, memory_mib: 8192}}
"""
NODE_ADDED = NODES.count("\n") + 1
