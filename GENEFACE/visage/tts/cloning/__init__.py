"""The basic clone: how somebody speaks, measured on a recording, lent to a built-in voice by analysis-resynthesis.

No model is learnt or downloaded; pitch, pace and timbre are moved, the way of pronouncing stays the built-in voice's.
"""
