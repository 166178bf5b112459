// SPDX-License-Identifier: Apache-2.0
// The one place where Boost.Beast and Asio's TLS are compiled.
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
