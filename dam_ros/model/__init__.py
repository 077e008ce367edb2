"""The Describe Anything Model itself, on torch. It knows no ROS, no node and no describer protocol.

`dam.load` gives a network; `docs/model.md` says which file holds what.
"""
