// Compiles the part of Asio that uses OpenSSL. Only this program needs it, so the library yolod_asio does not have it.
#include <boost/asio/ssl/impl/src.hpp>
