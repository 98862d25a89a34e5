"""The whole system on one machine, without an account: Calendar, Cloud Tasks, a vendor's back end, and the demo."""
