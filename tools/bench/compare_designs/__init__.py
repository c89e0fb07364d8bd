"""Compares yolod with servers of other designs; tools/bench/compare is the program."""
