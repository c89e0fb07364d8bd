// tests/support notes failed assertions: it needs Catch's runtime, and the distribution's comes with a main of its own.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
