"""Its place lets every test import `helpers`: pytest puts the folder of a conftest on the path."""

import signal

collect_ignore_glob = ["*conftest.py"]
"""Doctests are looked for everywhere but there: files of one name cannot both be imported."""

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell starts what runs in the background deaf to Ctrl-C, and the commands under test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
