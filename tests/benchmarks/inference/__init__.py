"""Inference beside real peers: `python -m tests.benchmarks.inference`, in an environment that has them.

    __main__    the command line                            making     the files of every contender, and the truth
    contenders  who runs                                    runners    one way to run each library
    children    a process a contender                       measuring  rounds, in turn; medians, quartiles, ratios
    limits      what one core can multiply                  table      the tables of docs/benchmarks.md

Each contender has a process of its own, since TensorFlow's, OpenVINO's and LiteRT's threads, allocators and processor
flags (denormals) would meet in one. The processes live through the whole measurement, and are asked in turn for a few
milliseconds of calls each, so that a slow spell of the machine meets all of them; who is not asked sleeps on a pipe.
"""
