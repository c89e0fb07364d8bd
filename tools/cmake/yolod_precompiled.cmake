# Precompiled headers, for the builds of CI alone (YOLOD_PRECOMPILE). More than a third of their compile time went into
# headers of the standard library, Asio, Beast and Catch. A build for development has none, so it finds a missing include.
#
# There are four sets: with or without Asio, of the product or of the tests. Asio's headers refer to functions of
# yolod_asio, so only targets that link it get them.

set(_precompiled_std
  <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <cstddef> <cstdint> <cstring> <deque> <filesystem> <fstream>
  <functional> <limits> <map> <memory> <mutex> <optional> <random> <set> <span> <sstream> <string> <string_view>
  <system_error> <thread> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)
set(_precompiled_asio
  <boost/asio/awaitable.hpp> <boost/asio/buffer.hpp> <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp>
  <boost/asio/post.hpp> <boost/asio/posix/stream_descriptor.hpp> <boost/asio/steady_timer.hpp>
  <boost/asio/generic/stream_protocol.hpp> <boost/asio/ip/tcp.hpp> <boost/asio/local/stream_protocol.hpp>
  <boost/beast/core.hpp> <boost/beast/http.hpp> <boost/json/parse.hpp> <boost/json/serialize.hpp>)

# Sets `result` to whether the target links yolod_asio, itself or through other targets.
function(_links_asio target result)
  get_property(known GLOBAL PROPERTY _links_asio_${target})
  if("${known}" STREQUAL "")
    set(known FALSE)
    set_property(GLOBAL PROPERTY _links_asio_${target} FALSE)  # ends circles
    if(target STREQUAL "yolod_asio")
      set(known TRUE)
    else()
      set(libraries)
      foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
        get_target_property(some ${target} ${property})
        if(some)
          list(APPEND libraries ${some})
        endif()
      endforeach()
      foreach(library ${libraries})
        string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" library "${library}")
        if(TARGET "${library}" AND NOT known)
          _links_asio("${library}" known)
        endif()
      endforeach()
    endif()
    set_property(GLOBAL PROPERTY _links_asio_${target} ${known})
  endif()
  set(${result} ${known} PARENT_SCOPE)
endfunction()

# Sets `result` to the target that has the precompiled headers, and creates that target at first use.
function(_precompiled_owner flags asio executable result)
  set(owner yolod_precompiled_${flags})
  set(headers ${_precompiled_std})
  if(asio)
    string(APPEND owner _asio)
    list(APPEND headers ${_precompiled_asio})
  endif()
  if(executable)
    string(APPEND owner _program)  # position-independent code of a program differs from a library's
  endif()
  if(flags STREQUAL "yolod_test_flags")
    list(APPEND headers <catch2/catch.hpp>)
  endif()
  if(NOT TARGET ${owner})
    file(WRITE ${CMAKE_BINARY_DIR}/precompiled/${owner}.cpp "// Its precompiled headers are what this target is for.\n")
    add_library(${owner} OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/precompiled/${owner}.cpp)
    if(executable)
      set_target_properties(${owner} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(${owner} PRIVATE -fPIE)
    endif()
    target_link_libraries(${owner} PRIVATE ${flags} fmt::fmt Threads::Threads)
    if(asio)
      target_compile_definitions(${owner} PRIVATE $<TARGET_PROPERTY:yolod_asio,INTERFACE_COMPILE_DEFINITIONS>)
      target_include_directories(${owner} PRIVATE ${CMAKE_SOURCE_DIR})
      target_link_libraries(${owner} PRIVATE Boost::headers Boost::json)
    endif()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")  # without the times of files, the same headers give the same bytes
      target_compile_options(${owner} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
    target_precompile_headers(${owner} PRIVATE ${headers})
    set_target_properties(${owner} PROPERTIES UNITY_BUILD OFF)
  endif()
  set(${result} ${owner} PARENT_SCOPE)
endfunction()

function(_precompile_folder folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    get_target_property(libraries ${target} LINK_LIBRARIES)
    foreach(flags yolod_flags yolod_test_flags)
      if(type MATCHES "STATIC_LIBRARY|EXECUTABLE" AND flags IN_LIST libraries)
        _links_asio(${target} asio)
        set(executable FALSE)
        if(type STREQUAL "EXECUTABLE")
          set(executable TRUE)
        endif()
        _precompiled_owner(${flags} ${asio} ${executable} owner)
        target_precompile_headers(${target} REUSE_FROM ${owner})
      endif()
    endforeach()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder ${folders})
    _precompile_folder(${subfolder})
  endforeach()
endfunction()
