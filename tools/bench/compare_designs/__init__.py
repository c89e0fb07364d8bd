"""yolod beside servers of other designs; tools/bench/compare is the program."""
