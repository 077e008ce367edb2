"""The demo: real photographs through the real nodes, each in a process of its own, and what came out as files.

`python -m dam_ros.demo` (or `./dev demo`). It is a client like any other: it knows the nodes by their topics, services
and actions only.
"""
