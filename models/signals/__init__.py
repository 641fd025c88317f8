"""Expected signal events per particle on target, one module per search topology.

A signal function takes what the experiment is (``beam``, ``target``, and the ``window`` of the
topology from `na64.models.response.windows`), a ``mediator``, its masses in GeV of shape (M,), and
by keyword ``settings`` (a `SignalSettings`, of which it uses those that its module names in
``USES``) and ``tables``, a store for tables that take long; everything is computed if None. It
returns `SignalRates` with regions ``REGIONS`` and processes ``PROCESSES``, or raises InputError
for values out of range and for what does not fit together. Those of decays in flight also take
``couplings``, shape (C,): 40 per decade over a range of their own if None.
"""
