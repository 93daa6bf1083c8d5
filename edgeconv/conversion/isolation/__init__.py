"""Work on files that nobody vouches for, in a process of its own with limits.

caller --request--> child process: limits set, function called
caller <--words, bars, then the result or the error-- child process

running    starts the child, waits, ends it        limits    memory and time
child      the program of the process              memory    how much there is, and the limit on a process
listening  the messages of the child               speaking  words and bars through the pipe
payload    results and errors, pickled and         endings   what a child that gave no answer died of
           unpickled with care
"""

from edgeconv.conversion.isolation.limits import Limits
from edgeconv.conversion.isolation.running import run_isolated

__all__ = ["Limits", "run_isolated"]
