"""Routing of requests: pools, candidate selection and the failover flow. Pure: no I/O, no clock of its own.

======================================================  =================================================================
``flow``, ``attempt_flow``, ``waiting``, ``steps``      the flow of a request, its waits, and the steps that it yields
``plan``, ``selection``, ``retries``                    state of a request, selection of candidates, retry delays
``attempt_settlement``, ``attempt_lease`` …             what an outcome changes: usage, budgets, health, strategy, policies
``pool``, ``pool_index``, ``manual_standby``            the members of a pool, as bit masks
``candidates``, ``candidate_set``                       a model at a provider, and sets of them
``availability``, ``request_eligibility`` …             whether a candidate may be tried, why not, and until when
``standby_policy``, ``standby_records``                 standby policies of a pool
``router``                                              the pool of a name
``explain``, ``final_errors``, ``error_summary`` …      explanations and errors
``response_check``, ``message_check`` …                 validation of answers and streams
======================================================  =================================================================
"""
