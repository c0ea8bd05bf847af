"""A server of the Model Context Protocol: what an aliases' dataset says, for coding agents.

`tools` says what there is to call, `library` keeps datasets open, `lookups` and `asking` do what is asked and know
nothing of the protocol, `server` speaks it, `http` lets others reach it.
"""
