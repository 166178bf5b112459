// SPDX-License-Identifier: Apache-2.0
// How long the cloud waits for a peer that says nothing, or takes nothing. Real time, for the
// timers of sockets are: all of them are silent from the beginning, and each test sees one of them
// end.
#include <memory>

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

struct Silent {
    RunningCloud cloud;
    Time::time_point since = Time::now();
    RawClient half_request{cloud.http_at()};
    RawClient idle{cloud.http_at()};
    RawClient stranger{cloud.gateways_at()};
    AppClient without_pong{cloud.http_at(), kToken, target_of('a')};
    AppClient without_farewell{cloud.http_at(), kToken, target_of('b')};
    AppClient without_reading{cloud.http_at(), kToken, target_of('c')};
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
    }
    static void TearDownTestSuite() { silent_.reset(); }

    // It has not been let go before its time.
    static void expect_waited(std::chrono::seconds time) {
        EXPECT_GE(Time::now() - silent_->since, time - std::chrono::seconds{1});
    }

    static std::unique_ptr<Silent> silent_;  // NOLINT(*-non-const-global-variables): of the suite
};

std::unique_ptr<Silent> Patience::silent_;

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
