"""Which model serves, and what happens when it does not. Nothing in here does I/O, sleeps, or reads a clock.

=====================  =====================================================================
:mod:`.classes`        the classes of failure, as a table
:mod:`.candidates`     a model as the router sees it, and sets of them
:mod:`.circuits`       circuits of models and accounts: who is off, until when, and why
:mod:`.health`         what attempts and time do to them
:mod:`.pool`           the models of one capability, which of them are ready, able
:mod:`.needs`          what a request needs of a model
:mod:`.policy`         the numbers: attempts, retries, cooldowns, limits
:mod:`.delays`         how long a vendor asked us to wait, and how long we wait unasked
:mod:`.flow`           what a request does next
:mod:`.rotation`       who is asked next, who is asked again, and after how long
:mod:`.progress`       how far a stream has come
:mod:`.attempts`       the record of all of it
:mod:`.explain`        the same flow, run up to its first step
:mod:`.router`         from a name in a request to a pool
=====================  =====================================================================
"""
