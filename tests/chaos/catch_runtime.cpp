// tests/support records failed assertions with Catch's runtime, and the distribution's library of it contains a main.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
