"""Cloud Tasks on one machine: the v2 API over REST and gRPC for Google's own client, and a small Cloud Scheduler.

Read it in this order: `records` and `limits` (what a task and a queue are), `machine` (what to dispatch when, pure),
`book` (all queues), `api` (the methods), `rest` and `grpc_edge` (the two doors), `dispatcher` and `sender` (out to the
worker), `journal` (the file), `server` (puts it together). It must never be reachable from another machine.
"""
