# Whoever uses Boost.Asio or Boost.Beast links this: their non-template parts, compiled once.
yolod_library(yolod_asio SOURCES ${CMAKE_SOURCE_DIR}/tools/cmake/boost_asio.cpp PUBLIC Boost::headers Threads::Threads)
# A batch of answers is as many handlers at once: Asio keeps the memory of so many for the next ones.
target_compile_definitions(yolod_asio PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=64)
# The front-end measures how long its event loop is held up by a handler.
target_include_directories(yolod_asio PUBLIC ${CMAKE_SOURCE_DIR})
target_compile_definitions(yolod_asio PUBLIC BOOST_ASIO_CUSTOM_HANDLER_TRACKING="tools/cmake/asio_turns.hpp")
