// Boost.Asio and Boost.Beast, compiled once instead of in every file that includes them (each saves a quarter of its
// compile time): https://www.boost.org/doc/libs/1_81_0/doc/html/boost_asio/using.html
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
