// SPDX-License-Identifier: Apache-2.0
// How long the cloud waits for a peer that says nothing, or takes nothing. Real time, for the
// timers of sockets are: all of them are silent from the beginning, and each test sees one of them
// end.
#include <memory>

#include <boost/asio/read_until.hpp>

#include "cloud/server/limits.hpp"
#include "cloud/server/running_cloud_test.hpp"

namespace sotto::cloud::server {
namespace {

using Time = std::chrono::steady_clock;

std::string target_of(char app) { return "/sotto/v1/channel?app=" + std::string(32, app); }

std::string get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: cloud\r\n\r\n";
}

// What the socket of a channel brings from here on, until the cloud closes it.
std::string rest_of(AppClient& app) {
    std::string text;
    boost::system::error_code error;
    Socket& socket = boost::beast::get_lowest_layer(app.socket()).socket();
    boost::asio::read(socket, boost::asio::dynamic_buffer(text), error);
    return text;
}

// Opens a stream, and takes as little as the system lets it.
class SlowReader {
  public:
    SlowReader(const Endpoint& endpoint, const std::string& prefix) : socket_(loop_) {
        socket_.open(endpoint.protocol());
        socket_.set_option(boost::asio::socket_base::receive_buffer_size{kAppBuffer});
        socket_.connect(endpoint);
        const std::string request = "GET /v1/events/" + prefix +
                                    " HTTP/1.1\r\nHost: cloud\r\nAuthorization: Bearer " +
                                    std::string{kToken} + "\r\n\r\n";
        boost::asio::write(socket_, boost::asio::buffer(request));
    }
    Socket& socket() { return socket_; }
    // Up to and with this text.
    std::string read_to(const std::string& end) {
        boost::system::error_code error;
        const std::size_t size =
            boost::asio::read_until(socket_, boost::asio::dynamic_buffer(text_), end, error);
        const std::string taken = text_.substr(0, size);
        text_.erase(0, size);
        return taken;
    }

  private:
    boost::asio::io_context loop_;
    Socket socket_;
    std::string text_;
};

struct Silent {
    RunningCloud cloud;
    Time::time_point since = Time::now();
    RawClient half_request{cloud.http_at()};
    RawClient idle{cloud.http_at()};
    RawClient stranger{cloud.gateways_at()};
    AppClient without_pong{cloud.http_at(), kToken, target_of('a')};
    AppClient without_farewell{cloud.http_at(), kToken, target_of('b')};
    AppClient without_reading{cloud.http_at(), kToken, target_of('c')};
    SlowReader quiet_stream{cloud.http_at(), "quiet"};
    SlowReader slow_stream{cloud.http_at(), "flood"};
};

class Patience : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        silent_ = std::make_unique<Silent>();
        silent_->half_request.send("GET /sotto/v1/he");
        silent_->idle.send(get("/sotto/v1/health"));
        silent_->without_farewell.write_raw(Bytes{});  // no record: the cloud says good-bye
        // Less than may be kept for it, and more than the system takes.
        constexpr std::size_t kOutcomeSize = 6 + 2;  // a record in its frame
        constexpr std::size_t kSends = 240'000 / kOutcomeSize;
        static_assert(kSends * 6 < services::kAppOutputBytesMax);
        static_assert(kSends * kOutcomeSize > 2 * (kAppSendBuffer + kAppBuffer));
        silent_->without_reading.send_many(kDevice, "x", kSends);
        silent_->slow_stream.read_to(":ok\n\n");
        for (int i = 0; i < kFlood; ++i) silent_->cloud.publish("flood", std::string(1'000, 'x'));
    }
    static constexpr int kFlood = 3'000;  // events, more than the ring and the system keep
    static void TearDownTestSuite() { silent_.reset(); }

    // It has not been let go before its time.
    static void expect_waited(std::chrono::seconds time) {
        EXPECT_GE(Time::now() - silent_->since, time - std::chrono::seconds{1});
    }

    static std::unique_ptr<Silent> silent_;  // NOLINT(*-non-const-global-variables): of the suite
};

std::unique_ptr<Silent> Patience::silent_;

TEST_F(Patience, AHeartbeatComesInTime) {
    const std::string text = silent_->quiet_stream.read_to("\n:\n\n");
    EXPECT_TRUE(text.ends_with("\r\n\r\n:ok\n\n:\n\n")) << text;
    expect_waited(std::chrono::seconds{9});
    EXPECT_LE(Time::now() - silent_->since, std::chrono::seconds{12});
}

TEST_F(Patience, EndsWithARequestThatDoesNotGoOn) {
    EXPECT_EQ(silent_->half_request.read_all(), "");
    expect_waited(kRequestTimeMax);
}

TEST_F(Patience, EndsWithAGatewayThatDoesNotSayWhoItIs) {
    EXPECT_EQ(silent_->stranger.read_all(), "");
}

TEST_F(Patience, EndsWithAChannelThatDoesNotSayGoodByeToo) {
    constexpr std::string_view kClose{"\x88\x02\x03\xf0", 4};  // RFC 6455 §7.4.1: 1008
    EXPECT_TRUE(rest_of(silent_->without_farewell).ends_with(kClose));
    expect_waited(kChannelHandshakeTime);
}

TEST_F(Patience, EndsWithWhoAsksAndTakesNoReply) {
    std::string requests;
    for (int i = 0; i < 1'000; ++i) requests += get("/nowhere");
    RawClient deaf{silent_->cloud.http_at()};
    const Time::time_point begin = Time::now();
    while (deaf.send(requests)) {
    }
    EXPECT_GE(Time::now() - begin, kReplyTimeMax - std::chrono::seconds{1});
}

TEST_F(Patience, EndsWithAChannelThatTakesNothing) {
    std::this_thread::sleep_until(silent_->since +
                                  std::chrono::milliseconds{services::kWriteTimeMax.ms + 5'000});
    const std::string taken = rest_of(silent_->without_reading);
    EXPECT_LT(taken.size(), 240'000U);  // it is not waited for any more
}

TEST_F(Patience, AReaderThatNeverReadsIsClosedAndCostsNothing) {
    std::this_thread::sleep_until(silent_->since + kStreamWriteTimeMax + std::chrono::seconds{5});
    const std::string taken = silent_->slow_stream.read_to("nothing of the kind");
    std::string rest;
    boost::system::error_code error;
    boost::asio::read(silent_->slow_stream.socket(), boost::asio::dynamic_buffer(rest), error);
    EXPECT_TRUE(error) << "it was closed";
    EXPECT_LT(taken.size() + rest.size(), 1'000U * kFlood / 2) << "it is not waited for";
}

TEST_F(Patience, EndsWithAConnectionThatAsksNothingMore) {
    EXPECT_EQ(reply_of(silent_->idle.read_reply()).status, 200);
    EXPECT_EQ(silent_->idle.read_all(), "");
    expect_waited(kIdleTimeMax);
}

TEST_F(Patience, EndsWithAChannelThatAnswersNoPing) {
    EXPECT_NE(rest_of(silent_->without_pong).find("\x89"), std::string::npos);  // it was asked
    expect_waited(kChannelIdleTime);
}

}  // namespace
}  // namespace sotto::cloud::server
