"""Where search learnt to tell the kinds of questions apart.

`prototypes.jsonl`: 6,855 short questions about imagined projects, each with its `kind` (overview, usage or code) and
`PROJECT` in place of the project's name. `train.py` fits the weights from them. None is about the repositories whose
questions are in `benchmarks/questions`, and none of those questions is among them.
"""
