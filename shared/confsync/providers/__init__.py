"""Conferencing systems behind the `ConferenceProvider` port; `http` is a vendor's own back end."""
