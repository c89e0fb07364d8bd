# Declares yolod's libraries and programs in one way: all have the same warnings, sanitizers and include root. A
# folder can use another folder's headers only if it links that folder's target.
include(GNUInstallDirs)

# Sets the compiler and linker flags of a target. The tests' own code has separate flags: it uses only the address
# sanitizer, because the checks for undefined behaviour double its compile time and would only test the tests.
function(_yolod_flags name sanitizers)
  add_library(${name} INTERFACE)
  target_compile_options(${name} INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wundef -Wformat=2 -Wimplicit-fallthrough)
  if(YOLOD_WERROR)
    target_compile_options(${name} INTERFACE -Werror)
  endif()
  if(YOLOD_SANITIZE)
    # Compiles without optimisation: with -O1 both compilers take two to three times as long.
    target_compile_options(${name} INTERFACE
      # The vptr check opens a pipe, and reports an invalid object if it cannot. A fault test uses up all descriptors.
      -fsanitize=${sanitizers} -fno-sanitize=vptr -fno-omit-frame-pointer -g1 -O0)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      # The check of function types compares their type information, which the libraries of the distribution lack.
      target_compile_options(${name} INTERFACE -fno-sanitize=function)
    else()
      # -Wtsan warns about the fences of Asio's own locks, which one thread never contends for.
      target_compile_options(${name} INTERFACE -Wno-mismatched-new-delete -Wno-tsan)
    endif()
    target_link_options(${name} INTERFACE -fsanitize=${YOLOD_SANITIZE})
  endif()
  if(YOLOD_FUZZ)
    target_compile_options(${name} INTERFACE
      # Clang 14 cannot compile coroutines with the check of function types.
      -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=function -fno-sanitize-recover=all
      -fno-omit-frame-pointer -g1 -O1)
    target_link_options(${name} INTERFACE -fsanitize=address,undefined)
  endif()
  if(YOLOD_COVERAGE)
    target_compile_options(${name} INTERFACE --coverage)
    target_compile_definitions(${name} INTERFACE YOLOD_COVERAGE)
    target_link_options(${name} INTERFACE --coverage)
  endif()
endfunction()
_yolod_flags(yolod_flags "${YOLOD_SANITIZE}")
string(REPLACE ",undefined" "" _test_sanitizers "${YOLOD_SANITIZE}")
_yolod_flags(yolod_test_flags "${_test_sanitizers}")
# Tests are compiled without optimisation, which takes least time. The code that they test is compiled as it ships.
# (With optimisation GCC 12 also warns wrongly of overlapping strings, GCC bug 105651.)
target_compile_options(yolod_test_flags INTERFACE -O0)
# In the builds of CI they have no lines for a debugger, which take a fifth of their compile time. Catch prints its own
# lines, and the code under test keeps those for the reports of sanitizers.
if(YOLOD_SANITIZE OR NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(yolod_test_flags INTERFACE -g0)
endif()
set(YOLOD_FLAGS yolod_flags)  # tests/ sets the other

# yolod_library(NAME SOURCES... LINKS...) adds a static library; public headers are included as "folder/file.hpp".
function(yolod_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} ${YOLOD_FLAGS})
endfunction()

function(yolod_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} ${YOLOD_FLAGS})
endfunction()
