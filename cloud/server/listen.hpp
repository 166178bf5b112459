// SPDX-License-Identifier: Apache-2.0
// Where the cloud listens. Allocates; does not block.
#pragma once

#include <string>

#include "cloud/server/settings.hpp"
#include "cloud/server/stream.hpp"
#include "ports/linux/failure.hpp"

namespace sotto::cloud::server {

// Where an option wants the cloud to listen.
struct Place {
    std::string option;  // its name, for complaints
    std::string text;    // HOST:PORT; HOST is an address or localhost, PORT 0 takes any free one
    bool allow_remote = false;  // beyond this machine
};

// False for what is no place, too.
bool is_beyond_loopback(const std::string& text);

// Error::InvalidArgument for what is no place, Error::Refused beyond loopback unless allowed,
// Error::Busy if the port is taken, Error::StorageFailed for whatever else the system says.
ports::Outcome<Acceptor> listen(boost::asio::io_context& loop, const Place& place);

// HOST:PORT of what was bound, with brackets where they are needed.
std::string text_of(const boost::asio::ip::tcp::endpoint& endpoint);

// What gateways and devices are told: what is given, else what was bound. Error::InvalidArgument if
// that is no address that anybody can connect to.
struct ToldAddress {
    const Settings& settings;
    const std::string& stored;  // as it was at init; may be empty
    boost::asio::ip::tcp::endpoint bound;
};
ports::Outcome<std::string> choose_address(const ToldAddress& address);

// As many sockets as the system lets this user have.
void raise_socket_limit();

// Writes where it listens to this file, whole or not at all; to none if the path is empty.
ports::Outcome<> write_ports(const std::string& path, const std::string& text);

}  // namespace sotto::cloud::server
