"""How the event log keeps its records: `log.EventLog` is the face, nothing here is public.

``store`` (what is needed of a place, a dict in RAM, locks) ← ``lmdb_files`` ← ``lmdb_store`` (on disk);
``commit`` (threads share commits); ``view`` (one owner's log in one transaction) ← ``verify``.
"""
