"""A server of the Model Context Protocol: what an aliases' dataset says, for coding agents.

`tools` says what there is to call, `library` keeps datasets open. One module for each tool does what is asked and knows
nothing of the protocol; `server` speaks it, `transports` lets others reach it.
"""
