"""
First
=====

A limit.
"""

from na64.limits import scan

limit = scan("na64e-2016-2022", masses_gev=[0.01, 0.1, 0.5])
figure = limit.plot()
