// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/listen.hpp"

#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sstream>
#include <sys/resource.h>

#include "cloud/server/state.hpp"
#include "ports/linux/file.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

std::optional<tcp::endpoint> parse(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string host{text.substr(0, colon)};
    const std::string port_text{text.substr(colon + 1)};
    if (host == "localhost") host = "127.0.0.1";
    const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (has_brackets) host = host.substr(1, host.size() - 2);
    error_code no_address;
    const auto address = asio::ip::make_address(host, no_address);
    if (no_address || address.is_v6() != has_brackets) return std::nullopt;
    std::uint16_t port = 0;
    const char* const end = port_text.data() + port_text.size();
    const auto read = std::from_chars(port_text.data(), end, port);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return tcp::endpoint{address, port};
}

ports::Failure explain(error_code error, const Place& place) {
    const std::string what = place.option + " " + place.text + ": ";
    if (error == asio::error::address_in_use)
        return {Error::Busy,
                what +
                    "the port is in use by another program; end that one, or choose another "
                    "port with " +
                    place.option};
    if (error == asio::error::access_denied)
        return {Error::StorageFailed,
                what + "this user may not listen there; take a port above 1023"};
    if (error == boost::system::errc::address_not_available)
        return {Error::StorageFailed, what + "this machine does not have that address"};
    return {Error::StorageFailed, what + error.message()};
}

}  // namespace

bool is_beyond_loopback(const std::string& text) {
    const auto endpoint = parse(text);
    return endpoint && !endpoint->address().is_loopback();
}

ports::Outcome<Acceptor> listen(asio::io_context& loop, const Place& place) {
    const auto endpoint = parse(place.text);
    if (!endpoint)
        return ports::Failure{
            Error::InvalidArgument,
            place.option + " " + place.text + ": it must be ADDRESS:PORT, such as 127.0.0.1:8080"};
    if (!endpoint->address().is_loopback() && !place.allow_remote)
        return ports::Failure{
            Error::Refused,
            place.option + " " + place.text +
                ": beyond this machine tokens must be encrypted; use --tls, or --insecure if that "
                "network is yours alone"};
    Acceptor acceptor{loop};
    error_code error;
    acceptor.open(endpoint->protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor.bind(*endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return explain(error, place);
    return acceptor;
}

std::string text_of(const tcp::endpoint& endpoint) {
    std::ostringstream text;
    text << endpoint;
    return text.str();
}

void raise_socket_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

ports::Outcome<std::string> choose_address(const ToldAddress& address) {
    const Settings& settings = address.settings;
    const std::string& given = settings.address.empty() ? address.stored : settings.address;
    if (!given.empty()) {
        if (is_address(given)) return given;
        return ports::Failure{Error::InvalidArgument,
                              "--address " + given + ": it must be HOST:PORT"};
    }
    if (!address.bound.address().is_unspecified()) return text_of(address.bound);
    return ports::Failure{Error::InvalidArgument,
                          "--devices " + settings.devices +
                              " names no address that a gateway can connect to: say with "
                              "--address HOST:PORT which one devices are to be told"};
}

ports::Outcome<> write_ports(const std::string& path, const std::string& text) {
    if (path.empty()) return {};
    const std::filesystem::path file{path};
    const std::string parent = file.has_parent_path() ? file.parent_path().string() : ".";
    const ports::File folder{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const bool is_written =
        folder.is_open() &&
        ports::replace_file(folder, file.filename().string(), as_bytes(text)).has_value();
    if (is_written) return {};
    return ports::Failure{Error::StorageFailed, "--ports-file " + path + ": it cannot be written"};
}

}  // namespace sotto::cloud::server
