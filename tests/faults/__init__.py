"""Refreshes that are killed, starved of disk or cut off from their store, and what must be true afterwards.

A case is a number, the seed that everything random in it comes from. It starts from an alias that has a dataset, lets
a refresh to a newer commit be disturbed, tries again until it succeeds, as Airflow does, and then checks what
`harness.check` lists. One command runs any cases again:

    python -m tests.faults 7 23

    cases.py      from a seed to what goes wrong
    stages.py     a refresh, task by task; the one place that knows how the stages are called
    points.py     the moments at which a process can be hit
    proxy.py      an S3 API that fails on demand
    reader.py     processes that ask questions all the while
    processes.py  processes that start fast
    harness.py    runs a case, and checks
"""
