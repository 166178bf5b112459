// SPDX-License-Identifier: Apache-2.0
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "gateway/uplink/stream.hpp"

namespace sotto::gateway::uplink {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

std::string text_of(error_code error) { return error ? error.message() : std::string{}; }

constexpr const char* kSpeaksTls =
    "it speaks TLS only: give this gateway its fingerprint with --pin";

class PlainStream final : public Stream, public std::enable_shared_from_this<PlainStream> {
  public:
    struct Rules {
        bool is_insecure_allowed = false;
        bool is_ours = true;  // the other end is a cloud
    };
    PlainStream(asio::io_context& loop, Rules rules)
        : rules_(rules), resolver_(loop), socket_(loop) {}

    void connect(const Address& address, ConnectDone done) override {
        resolver_.async_resolve(address.host,
                                address.port,
                                [self = shared_from_this(), done = std::move(done)](
                                    error_code error, const tcp::resolver::results_type& found) {
                                    if (error) return done(text_of(error));
                                    self->connect_to(found, done);
                                });
    }

    void read_some(MutBytes buffer, ReadDone done) override {
        socket_.async_read_some(asio::buffer(buffer.data(), buffer.size()),
                                [self = shared_from_this(), done = std::move(done), buffer](
                                    error_code error, std::size_t size) {
                                    if (self->is_alert(buffer.first(size)))
                                        return done(kSpeaksTls, 0);
                                    done(text_of(error), size);
                                });
    }

    void write(Bytes bytes, WriteDone done) override {
        asio::async_write(socket_,
                          asio::buffer(bytes.data(), bytes.size()),
                          [self = shared_from_this(), done = std::move(done)](
                              error_code error, std::size_t) { done(text_of(error)); });
    }

    void close() override {
        closed_ = true;
        error_code ignored;
        resolver_.cancel();
        socket_.close(ignored);
    }

  private:
    // RFC 8446 §5.1: the record by which TLS refuses what is none. No record of ours begins so.
    bool is_alert(Bytes bytes) {
        if (std::exchange(has_read_, true) || !rules_.is_ours) return false;
        return bytes.size() >= 2 && bytes[0] == 21 && bytes[1] == 3;
    }

    void connect_to(const tcp::resolver::results_type& found, const ConnectDone& done) {
        if (closed_) return done("closed");
        std::vector<tcp::endpoint> endpoints;
        for (const auto& item : found) {
            if (rules_.is_insecure_allowed || item.endpoint().address().is_loopback())
                endpoints.push_back(item.endpoint());
        }
        if (endpoints.empty())
            return done(
                "not a loopback address: the uplink is not encrypted (--insecure allows it)");
        asio::async_connect(
            socket_,
            endpoints,
            [self = shared_from_this(), done](error_code error, const tcp::endpoint&) {
                if (!error) self->socket_.set_option(tcp::no_delay{true}, error);
                done(text_of(error));
            });
    }

    Rules rules_;
    bool closed_ = false;
    bool has_read_ = false;
    tcp::resolver resolver_;
    tcp::socket socket_;
};

}  // namespace

std::shared_ptr<Stream> make_plain_stream(asio::io_context& loop, bool is_insecure_allowed) {
    return std::make_shared<PlainStream>(
        loop, PlainStream::Rules{.is_insecure_allowed = is_insecure_allowed});
}

std::shared_ptr<Stream> make_foreign_stream(asio::io_context& loop) {
    return std::make_shared<PlainStream>(
        loop, PlainStream::Rules{.is_insecure_allowed = true, .is_ours = false});
}

}  // namespace sotto::gateway::uplink
