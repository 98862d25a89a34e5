"""A sample vendor's conferencing back end: the reference implementation of docs/provider-contract.md.

A vendor's engineer reads five modules; together they are the contract:

    signature.py     is the call ours?                      (ten lines)
    contract.py      the bodies of calls and answers
    conferences.py   apply(stored, command) -> (stored, answer), pure
    offer.py         what an event holds that leads into a conference
    endpoint.py      the one POST endpoint: verify, parse, apply, answer

The rest makes it a server on this machine (`python -m confsync.local.vendor --help`): `storage` keeps the conferences,
`app` has the vendor's own API, `faults` misbehaves on request, and `page.html` shows it live. It must never be
reachable from another machine.
"""
