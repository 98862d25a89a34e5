"""A local Google Calendar: the v3 API with sync tokens, tombstones, guests' copies and pushes.

How a request travels: `app.py` reads the caller and asks `faults.py` -> `model.py` (pure) -> `storage.py` keeps what
changed -> `pushes.py` tells the channels. It must never be mistaken for Google: it binds to 127.0.0.1 and believes any
bearer token that names a known user.

Where it differs from Google on purpose: an http address on 127.0.0.1 may be watched; `q` is refused; a sync token used
with other list parameters is refused, where Google's behaviour is undefined. Nobody outside Google knows everything:
`records.Options` has both variants of what matters to conferences, settable while the server runs, and one is chosen
here for what raises `sequence` (times, rules, deletion, restoring), how long a token lives (until expired on demand, by
a knob, or because a deletion behind it is forgotten), and the order of a full list (by id).
"""
