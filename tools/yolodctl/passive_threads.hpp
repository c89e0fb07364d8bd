// How this process's OpenMP threads wait for each other.
#pragma once

namespace yolod::tools {

// Lets them sleep. By default libgomp's spin, and where another process wants the same cores a network's forward pass
// then takes a hundred times as long (20 ms became 2 s on two busy cores). libgomp reads OMP_WAIT_POLICY when it is
// loaded, before main: so this sets it and executes the program anew, unless it is set already. Does nothing where that
// fails. To be called before anything was done or printed.
void wait_passively();

}  // namespace yolod::tools
