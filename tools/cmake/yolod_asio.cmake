# The non-template parts of Boost.Asio and Boost.Beast, compiled once. Every target that uses them links this library.
yolod_library(yolod_asio SOURCES ${CMAKE_SOURCE_DIR}/tools/cmake/boost_asio.cpp PUBLIC Boost::headers Threads::Threads)
# A batch of answers calls as many handlers at the same time; Asio keeps the memory of this many for later handlers.
target_compile_definitions(yolod_asio PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=64)
# The front-end measures how long a handler blocks its event loop.
target_include_directories(yolod_asio PUBLIC ${CMAKE_SOURCE_DIR})
target_compile_definitions(yolod_asio PUBLIC BOOST_ASIO_CUSTOM_HANDLER_TRACKING="tools/cmake/asio_turns.hpp")
