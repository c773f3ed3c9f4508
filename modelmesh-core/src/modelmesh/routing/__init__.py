"""Which model serves, and what happens when it does not. Nothing in here does I/O, sleeps, or reads a clock.

A request:

====================  =================================================================
:mod:`.flow`          what a request does next
:mod:`.rotation`      who is asked next, who is asked again, and after how long
:mod:`.classes`       the classes of failure, and what follows from each, as a table
:mod:`.verdicts`      the errors that a flow ends in
:mod:`.headlines`     their first line: which failure explains them, and what to do
:mod:`.account_lines` their further lines, one for each account
:mod:`.wording`       words for failures, durations, times and amounts of money
:mod:`.router`        from a name in a request to a pool
:mod:`.pool`          the models of one capability, which of them are ready, able
:mod:`.vector_spaces` which of its members return embeddings that can be compared
:mod:`.candidates`    a model as the router sees it, and sets of them
:mod:`.ranking`       an order of a pool's members of its own
:mod:`.needs`         what a request needs of a model
:mod:`.policy`        the numbers: attempts, retries, cooldowns, limits
:mod:`.admission`     the queue of requests that wait for a place at an account
:mod:`.pacing`        how often requests may go to one model
:mod:`.lost_leases`   gives back the leases of attempts that were cut short
:mod:`.delays`        waits of our own choosing, and the longest that a vendor can cause
====================  =================================================================

Who is off:

====================  =================================================================
:mod:`.circuits`      circuits of models and accounts: who is off, until when, and why
:mod:`.health`        what attempts and time do to them
:mod:`.cooldowns`     how long something is off after a failure
:mod:`.judge`         a pool's own policies of standby and recovery
:mod:`.maintenance`   recurring maintenance windows of models
:mod:`.cron`          what minutes a cron expression means
:mod:`.surveyed`      results of health checks and model lists, and their effect on health
:mod:`.standby`       why a model is in standby, in words
====================  =================================================================

What is spent:

====================  =================================================================
:mod:`.ledger`        reserves what an attempt may spend, and settles what it did spend
:mod:`.spending`      what an attempt may spend: its output limit and its reservation
:mod:`.consumption`   what an attempt consumed: reported usage, completed by an estimate
:mod:`.token_counts`  estimates of tokens where a vendor reports none
:mod:`.meters`        what is counted against one limit
:mod:`.calendar`      windows of time that limits are counted over
:mod:`.sliding`       what was counted in a window that slides
:mod:`.prices`        what a request costs, in whole nano-dollars
:mod:`.levels`        how full the limits of a model still are
====================  =================================================================

What came of it:

====================  =================================================================
:mod:`.answers`       validation of whole answers by type
:mod:`.messages`      the parts of a message, by type, and whether its tool calls are whole
:mod:`.stream_calls`  tool calls of a stream, put together and numbered
:mod:`.usages`        whether reported token counts are a report
:mod:`.vectors`       one vector for each input, in the order of the inputs
:mod:`.progress`      how far a stream has come
:mod:`.attempts`      the record of what was asked
:mod:`.explain`       the same flow, run up to its first step
====================  =================================================================
"""
